"""Read the songs of a folder of music files."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.sources.servers.jobs import summary
from catalog.sources.servers.progress import progress_bar
from catalog.sources.servers.services import READ_ERRORS, connect_folder, read_server


class Command(BaseCommand):
    """``manage.py import_music``."""

    help = (
        "Read the tags of the music files in a folder into the catalogue, so that the player plays them. Run it again "
        "for what is new, changed or gone; files of the same size and time aren't opened. The worker does so daily."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", help="The folder, which the site must be able to read at this path.")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["folder"]:
            # A variable of a script that isn't set: as a path it would be the open folder.
            raise CommandError("folder: must not be empty")
        try:
            server = connect_folder(path=Path(options["folder"]))
            with progress_bar(str(server)) as progress:
                report = read_server(server, progress)
        except READ_ERRORS as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt as error:
            raise CommandError("Stopped. Run the same command again to finish.") from error
        self.stdout.write(f"{server}: {summary(report)}.")
