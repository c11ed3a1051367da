"""The one entry point of the project: ``manage.py`` in a checkout, ``earworm`` where it is installed."""

import os
import sys


def main() -> None:
    """Run a management command; settings that do not fit, and what cannot be reached, end it with one line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "spotify_rec.settings")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        _ = settings.DEBUG
    except ImproperlyConfigured as error:
        sys.exit(f"{os.path.basename(sys.argv[0])}: {error}")  # noqa: PTH119
    try:
        execute_from_command_line(sys.argv)
    except Exception as error:
        from jobs.patience import reason_of_absence

        # A full disk, a folder that cannot be written to, a database that does not answer: one line says it all.
        reason = None if "--traceback" in sys.argv else reason_of_absence(error)
        if reason is None:
            raise
        sys.exit(f"{os.path.basename(sys.argv[0])}: {reason}")  # noqa: PTH119
