"""Write a .env file for a site that others reach, with keys of its own."""

import os
import re
import secrets
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

LOCAL_HOSTS = "localhost,127.0.0.1"


class Command(BaseCommand):
    """``manage.py make_env``."""

    help = (
        "Write .env, from .env.example, with DEBUG off and random keys. With --host for a site behind a proxy that "
        "speaks HTTPS; without for this machine alone, over plain HTTP."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="", help="The site's host, such as songs.example.org.")

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(settings.HOME_DIR) / ".env"
        text = filled_in((Path(settings.BASE_DIR) / ".env.example").read_text(encoding="utf-8"), options["host"])
        try:
            # Nobody else may read the keys, not even for a moment.
            file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8")
            try:
                with file:
                    file.write(text)
            except OSError:
                # Half of it would be left alone by the next call.
                path.unlink()
                raise
        except FileExistsError:
            raise CommandError(f"{path} is there already: it holds keys, and is left alone") from None
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error
        self.stdout.write(f"{path} written; keep a copy of it apart from the backups")


def filled_in(example: str, host: str) -> str:
    """Return the example with values for a site at ``host``; without one, for plain HTTP on this machine."""
    values = {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "SPOTIFY_TOKEN_KEYS": Fernet.generate_key().decode(),
        "ALLOWED_HOSTS": f"{host},{LOCAL_HOSTS}" if host else LOCAL_HOSTS,
        "CSRF_TRUSTED_ORIGINS": f"https://{host}" if host else "",
        "INSECURE_HTTP": "false" if host else "true",
        "SECURE_HSTS_SECONDS": "31536000" if host else "0",
        "TRUSTED_PROXY_COUNT": "1" if host else "0",
    }
    for name, value in values.items():
        example, count = re.subn(rf"^(# )?{name}=.*$", f"{name}={value}", example, count=1, flags=re.MULTILINE)
        if not count:
            raise CommandError(f".env.example has no {name}")
    return example
