"""Create the token with which a music server's plug-in asks for similar songs."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.models import MusicServer
from catalog.sources.servers.services import LibraryError, create_plugin_token, revoke_plugin_token


class Command(BaseCommand):
    """``manage.py plugin_token``."""

    help = (
        "Create the token with which AudioMuse's plug-in in Navidrome asks this site for similar songs, paths and "
        "similar artists. It is shown once. A new one takes the place of the old one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", help="The server's address, as `connect_server` printed it.")
        parser.add_argument("--revoke", action="store_true", help="Revoke the token instead.")

    def handle(self, *args: Any, **options: Any) -> None:
        server = MusicServer.objects.filter(address=options["address"].rstrip("/")).first()
        if server is None:
            raise CommandError(f"{options['address']}: isn't connected. Run `manage.py connect_server` first.")
        if options["revoke"]:
            revoke_plugin_token(server=server)
            self.stdout.write(f"Revoked the token of {server}.")
            return
        try:
            token = create_plugin_token(server=server)
        except LibraryError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"The token for {server}, shown this once:\n{token}")
