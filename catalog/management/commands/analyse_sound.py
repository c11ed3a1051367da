"""Measure the sound of recordings."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.sound.analyser import missing_tools
from catalog.sound.calibrating import count_pairs, current_calibration, summary_of
from catalog.sound.calibration import MIN_PAIRS
from catalog.sound.jobs import summary
from catalog.sound.services import analyse_songs, calibrate, current_version
from catalog.sources.servers.progress import progress_bar


class Command(BaseCommand):
    """``manage.py analyse_sound``."""

    help = (
        "Measure tempo, key and loudness of the recordings of music servers and folders that were not analysed yet. "
        "An analysis that was stopped is finished by running it again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--calibrate", action="store_true", help="Fit the calibration again, even on few new songs."
        )
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
        self._calibrate(is_forced=options["calibrate"])

    def _calibrate(self, *, is_forced: bool) -> None:
        version = current_version()
        calibration = calibrate(is_forced=is_forced) or current_calibration(version)
        if calibration is None:
            number = count_pairs(version)
            self.stdout.write(
                f"No calibration yet: {number:,} of the {MIN_PAIRS} songs that it needs have a recording and known "
                "audio features. Energy, danceability, valence and acousticness stay unknown."
            )
            return
        self.stdout.write(f"Calibration {calibration.pk}, on {calibration.pairs:,} songs:")
        for line in summary_of(calibration):
            self.stdout.write(f"  {line}")
