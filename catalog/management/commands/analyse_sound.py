"""Measure the sound of recordings."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.sound.analyser import missing_tools
from catalog.sound.jobs import summary
from catalog.sound.services import analyse_songs
from catalog.sources.servers.progress import progress_bar


class Command(BaseCommand):
    """``manage.py analyse_sound``."""

    help = (
        "Measure tempo, key and loudness of the recordings of music servers and folders that were not analysed yet. "
        "An analysis that was stopped is finished by running it again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--limit", type=int, help="Analyse at most so many recordings. Default: all.")

    def handle(self, *args: Any, **options: Any) -> None:
        if missing := missing_tools():
            raise CommandError(
                f"{' and '.join(missing)}: not found. ffmpeg is a package of your system; "
                "for sonara run: pip install --require-hashes -r requirements-sound.txt"
            )
        if options["limit"] is not None and options["limit"] < 1:
            raise CommandError(f"--limit: must be 1 or more, not {options['limit']}.")
        try:
            with progress_bar("Recordings") as progress:
                report = analyse_songs(progress, limit=options["limit"])
        except KeyboardInterrupt as error:
            raise CommandError("Stopped. Run the same command again to finish.") from error
        self.stdout.write(f"{summary(report)}.")
