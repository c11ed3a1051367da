"""Bring the site back to a backup."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from spotify_rec.backup.common import BackupError
from spotify_rec.backup.progress import bytes_bar
from spotify_rec.backup.restoring import Backup, Restored, restore_backup


class Command(BaseCommand):
    """``manage.py restore FILE``."""

    help = "Put what `manage.py backup` wrote into an empty database, and its models and uploads in their places."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="What `manage.py backup` wrote.")
        parser.add_argument("--overwrite", action="store_true", help="Replace all that the database holds now.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            backup = Backup(options["file"])
            try:
                with bytes_bar(self.stdout, backup.size()) as say:
                    restored = restore_backup(backup, is_overwriting=options["overwrite"], say=say)
            finally:
                backup.close()
        except BackupError as error:
            raise CommandError(str(error)) from error
        if options["verbosity"] > 0:
            self._report(restored)

    def _report(self, restored: Restored) -> None:
        self.stdout.write(f"restored: the site as it was at {restored.made_at}")
        if restored.migrations:
            self.stdout.write(f"It is of an earlier release: run manage.py migrate ({restored.migrations} to apply).")
        if not restored.has_model:
            self.stdout.write("No model can serve: run manage.py retrain.")
        if restored.store_error:
            self.stderr.write(
                f"The models are not in the store; activate one once it answers ({restored.store_error})."
            )
        if restored.missing_uploads:
            self.stdout.write(f"{restored.missing_uploads} uploads are missing: their listeners will be told so.")
