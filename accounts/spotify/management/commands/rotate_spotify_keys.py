"""Encrypt the Spotify tokens again, with the first key."""

from typing import Any

from cryptography.fernet import Fernet
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.spotify.services import rotate_keys


class Command(BaseCommand):
    """``manage.py rotate_spotify_keys``."""

    help = (
        "Re-encrypt all Spotify tokens with the first key in SPOTIFY_TOKEN_KEYS. To change the key, put a new one "
        "(see --new) in front of the old one, restart the site, run this command, then remove the old key."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--new", action="store_true", help="Print a new key and exit.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["new"]:
            self.stdout.write(Fernet.generate_key().decode())
            return
        done, failed = rotate_keys()
        self.stdout.write(f"{done} connection{'' if done == 1 else 's'} encrypted with the first key.")
        if failed:
            raise CommandError(f"{failed} can't be decrypted with any of the keys and were left unchanged.")
