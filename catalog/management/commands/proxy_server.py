"""Let players reach a music server through the site."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.models import MusicServer
from catalog.sources.servers.services import LibraryError, set_proxied


class Command(BaseCommand):
    """``manage.py proxy_server``."""

    help = (
        "Let players reach a connected music server through this site, below /rest/, so that its mixes are personal "
        "and the site learns from what they play. One server at most; nothing is proxied until you run this."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", help="The server's address, as `connect_server` printed it.")
        parser.add_argument("--off", action="store_true", help="No longer.")

    def handle(self, *args: Any, **options: Any) -> None:
        server = MusicServer.objects.filter(address=options["address"].rstrip("/")).first()
        if server is None:
            raise CommandError(f"{options['address']}: isn't connected. Run `manage.py connect_server` first.")
        try:
            set_proxied(server=server, is_proxied=not options["off"])
        except LibraryError as error:
            raise CommandError(str(error)) from error
        state = "isn't proxied any more" if options["off"] else "is proxied: players enter the address of this site"
        self.stdout.write(f"{server} {state}.")
