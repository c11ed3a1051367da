"""Read the songs of music servers."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.models import MusicServer
from catalog.sources.servers.jobs import summary
from catalog.sources.servers.progress import progress_bar
from catalog.sources.servers.services import READ_ERRORS, LibraryError, clean_address, read_server


class Command(BaseCommand):
    """``manage.py read_server``."""

    help = (
        "Read the songs of the connected music servers and folders into the catalogue. A reading that was stopped is "
        "finished by running it again. Songs that a server has lost stay in the catalogue, without a file."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", nargs="?", help="Read only this one. Default: all that are active.")

    def handle(self, *args: Any, **options: Any) -> None:
        servers = MusicServer.objects.filter(is_active=True)
        if options["address"]:
            try:
                address = clean_address(options["address"])
            except LibraryError:
                address = options["address"]
            servers = servers.filter(address=address)
        if not servers:
            raise CommandError("No such music server is connected. Connect one with `manage.py connect_server`.")
        failed = False
        for server in servers:
            failed = not self._read(server) or failed
        if failed:
            raise CommandError("Not everything could be read. Run the same command again.")

    def _read(self, server: MusicServer) -> bool:
        try:
            with progress_bar(str(server)) as progress:
                report = read_server(server, progress)
        except READ_ERRORS as error:
            self.stderr.write(f"{server}: {error}")
            return False
        except KeyboardInterrupt as error:
            raise CommandError("Stopped. Run the same command again to finish.") from error
        self.stdout.write(f"{server}: {summary(report)}.")
        return True
