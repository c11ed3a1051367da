"""Keep all that the site knows in one file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from spotify_rec.backup.common import BackupError
from spotify_rec.backup.create import expected_size, make_backup
from spotify_rec.backup.progress import bytes_bar


class Command(BaseCommand):
    """``manage.py backup TARGET``."""

    help = (
        "Back up the database, the models and pending uploads to one file. The site can keep running. Settings and "
        "keys (.env) are not included."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "target", type=Path, help="A new file, or a folder. In a folder the file is named after the current time."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with bytes_bar(self.stdout, expected_size()) as report_progress:
                made = make_backup(target=options["target"], report_progress=report_progress)
        except BackupError as error:
            raise CommandError(str(error)) from error
        if options["verbosity"] > 0:
            self.stdout.write(
                f"{made.path}: {made.size / 1e6:,.1f} MB, {made.models} models, {made.uploads} pending uploads"
            )
        if made.lacks_model:
            self.stderr.write("The files of the active model are missing. A restored site will need a retraining.")
