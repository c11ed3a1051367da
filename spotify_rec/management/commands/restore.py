"""Bring the site back to a backup."""

import signal
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from spotify_rec.backup.common import BackupError
from spotify_rec.backup.progress import bytes_bar
from spotify_rec.backup.restore import Backup, Restored, restore_backup


class Command(BaseCommand):
    """``manage.py restore FILE``."""

    help = (
        "Restore the database, models and uploads from a file made by `manage.py backup`. The database has to be empty."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="A file made by `manage.py backup`.")
        parser.add_argument("--overwrite", action="store_true", help="Replace everything in the database.")
        parser.add_argument(
            "--trust-unsigned",
            action="store_true",
            help="Restore a file that wasn't signed with this site's SECRET_KEY, without asking.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # Told to end, it ends as any error ends it: the copy of the database goes.
        signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(1))
        try:
            backup = Backup(options["file"])
            try:
                is_trusted = options["trust_unsigned"] or (not backup.is_signed and self._is_wanted(backup))
                with bytes_bar(self.stdout, backup.size()) as progress:
                    restored = restore_backup(
                        backup,
                        is_overwriting=options["overwrite"],
                        is_trusted=is_trusted,
                        report_progress=progress,
                    )
            finally:
                backup.close()
        except BackupError as error:
            raise CommandError(str(error)) from error
        if options["verbosity"] > 0:
            self._report(restored)

    def _is_wanted(self, backup: Backup) -> bool:
        """Ask whoever sits at a terminal; nobody else is asked, and then it is refused."""
        if not sys.stdin.isatty():
            return False
        self.stdout.write(
            f"{backup.path} wasn't signed with this site's SECRET_KEY. Whoever made it chooses who can log in here, "
            "operators included."
        )
        return input("Restore it anyway? [y/N] ").strip().lower() in ("y", "yes")

    def _report(self, restored: Restored) -> None:
        self.stdout.write(f"Restored the site as of {restored.made_at}.")
        if restored.migrations:
            self.stdout.write(
                f"The backup is from an earlier release. Run `manage.py migrate` ({restored.migrations} to apply)."
            )
        if not restored.has_model:
            self.stdout.write("There is no usable model. Run `manage.py retrain`.")
        if restored.store_error:
            self.stderr.write(
                f"The models couldn't be copied to the model store ({restored.store_error}). Once it responds, "
                "run `manage.py models activate`."
            )
        if restored.missing_uploads:
            self.stdout.write(
                f"{restored.missing_uploads} uploads are missing. The site will tell the listeners concerned."
            )
