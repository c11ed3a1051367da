"""Encrypt the Spotify tokens anew, with the first of the keys."""

from typing import Any

from cryptography.fernet import Fernet
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.spotify.services import rotate_keys


class Command(BaseCommand):
    """``manage.py rotate_spotify_keys``."""

    help = (
        "Encrypt all Spotify tokens anew with the first key of SPOTIFY_TOKEN_KEYS. To change the key: put a new one "
        "(--new prints one) before the old, restart the site, run this, then take the old one away."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--new", action="store_true", help="Only print a new key.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["new"]:
            self.stdout.write(Fernet.generate_key().decode())
            return
        done, failed = rotate_keys()
        self.stdout.write(f"{done} connection{'' if done == 1 else 's'} encrypted with the first key")
        if failed:
            raise CommandError(f"{failed} cannot be read with any of the keys, and were left as they are")
