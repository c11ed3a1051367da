"""List the model versions, or let an earlier one serve again."""

from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from recommender.model_store import stored_directories
from recommender.models import ModelVersion
from recommender.object_store import StoreError
from recommender.reports import headline
from recommender.versions import UnusableModelError, activate_checked, model_path


class Command(BaseCommand):
    """``manage.py models list`` and ``manage.py models activate VERSION``."""

    help = "List the model versions with their quality, or let one of them serve."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="list|activate")
        actions.add_parser("list", help="Show all versions, newest first.")
        chosen = actions.add_parser("activate", help="Let VERSION serve from the next request on.")
        chosen.add_argument("version", type=int, help="The version's number, as `models list` shows it.")

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(file=cast(IO[str], self.stdout), highlight=False, soft_wrap=True)
        if options["action"] == "list":
            console.print(_table(self._stored()))
            return
        version = ModelVersion.objects.filter(pk=options["version"]).first()
        if version is None:
            raise CommandError(f"there is no version {options['version']}; see manage.py models list")
        try:
            activate_checked(version=version)
        except UnusableModelError as error:
            raise CommandError(f"version {version.pk} cannot serve: {error}") from error
        console.print(f"version {version.pk} serves from now on")

    def _stored(self) -> set[str] | None:
        """Return what is in the store; ``None`` where that cannot be said."""
        try:
            return stored_directories()
        except StoreError as error:
            self.stderr.write(f"What is in the store cannot be said: {error}")
            return None


def _table(stored: set[str] | None) -> Table:
    table = Table(title="nDCG@10 with 5 songs revealed, on held-out listeners")
    for column in ("version", "state", "made", "songs", "listeners", "blend", "popularity", "file"):
        table.add_column(column)
    for version in ModelVersion.objects.all():
        table.add_row(
            str(version.pk),
            version.get_state_display(),
            f"{version.created_at:%Y-%m-%d %H:%M}",
            f"{version.fitted_on.get('songs', 0):,}",
            f"{version.fitted_on.get('listeners', 0):,}",
            _figure(headline(version)),
            _figure(headline(version, "popularity")),
            _place(version, stored),
        )
    return table


def _place(version: ModelVersion, stored: set[str] | None) -> str:
    if model_path(version).is_dir():
        return "yes"
    if stored is None:
        return "not here"
    return "stored" if version.directory in stored else "deleted"


def _figure(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.3f}"
