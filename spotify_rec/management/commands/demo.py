"""Show the site with invented songs and listeners, in one command."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    """``manage.py demo``."""

    help = (
        "Load the invented songs and listeners, print a listener's and an operator's log-in, and serve the site on "
        "this machine alone, with the worker and a Spotify sandbox. For DEBUG only."
    )
    # The database may not be there yet.
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="On 127.0.0.1 (default: %(default)s).")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0)
        call_command("load_demo", port=options["port"], stdout=self.stdout, stderr=self.stderr)
        # Read by a program, too, before the site ends.
        self.stdout.flush()
        call_command("serve", bind=f"127.0.0.1:{options['port']}", workers=1, no_migrate=True, spotify_sandbox=True)
