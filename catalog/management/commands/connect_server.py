"""Connect a music server."""

import getpass
import sys
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.sources.servers.services import LibraryError, connect_server
from catalog.sources.subsonic.client import SubsonicError


class Command(BaseCommand):
    """``manage.py connect_server``."""

    help = (
        "Connect a music server that speaks OpenSubsonic (Navidrome, gonic, supysonic and others), so that its songs "
        "are in the catalogue and the player plays its files. Run it again to change the log-in, then `read_server`."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", help="The server's address, such as http://192.168.1.2:4533.")
        parser.add_argument("--user", default="", help="A username there. Not needed with an API key.")
        parser.add_argument("--name", help="What listeners see of it. They never see the address.")
        secret = parser.add_mutually_exclusive_group()
        secret.add_argument(
            "--password-stdin", action="store_true", help="Read the password from standard input, not the keyboard."
        )
        secret.add_argument(
            "--api-key", action="store_true", help="Log in with an API key, read as the password would be."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        is_typed = sys.stdin.isatty() and not options["password_stdin"]
        label = "API key" if options["api_key"] else "Password"
        secret = getpass.getpass(f"{label}: ") if is_typed else sys.stdin.readline().rstrip("\r\n")
        try:
            server = connect_server(
                address=options["address"],
                username=options["user"],
                secret=secret,
                is_api_key=options["api_key"],
                name=options["name"],
            )
        except (LibraryError, SubsonicError, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Connected {server} ({server.abilities['software']}). Now run `manage.py read_server`.")
