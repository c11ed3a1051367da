"""List the model versions, or let an earlier one serve again."""

from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from recommender.lifecycle.model_store import stored_directories
from recommender.lifecycle.object_store import StoreError
from recommender.lifecycle.versions import UnusableModelError, activate_checked, model_path
from recommender.models import ModelVersion
from recommender.operators.reports import headline


class Command(BaseCommand):
    """``manage.py models list`` and ``manage.py models activate VERSION``."""

    help = "List model versions with their quality, or activate one."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="list|activate")
        actions.add_parser("list", help="List all versions, newest first.")
        chosen = actions.add_parser("activate", help="Activate VERSION from the next request on.")
        chosen.add_argument("version", type=int, help="The version's number, as `models list` shows it.")

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(file=cast(IO[str], self.stdout), highlight=False, soft_wrap=True)
        if options["action"] == "list":
            console.print(_table(self._stored()))
            return
        version = ModelVersion.objects.filter(pk=options["version"]).first()
        if version is None:
            raise CommandError(f"There is no version {options['version']}. See: manage.py models list")
        try:
            activate_checked(version=version)
        except UnusableModelError as error:
            raise CommandError(f"Version {version.pk} can't be activated: {error}") from error
        console.print(f"Version {version.pk} is now active.")

    def _stored(self) -> set[str] | None:
        """Return what is in the store; ``None`` where that cannot be said."""
        try:
            return stored_directories()
        except StoreError as error:
            self.stderr.write(f"Can't look into the model store: {error}")
            return None


def _table(stored: set[str] | None) -> Table:
    table = Table(title="nDCG@10 with 5 songs revealed, on held-out listeners")
    for column in ("version", "state", "made", "songs", "listeners", "blend", "popularity", "file"):
        table.add_column(column)
    for version in ModelVersion.objects.all():
        table.add_row(
            str(version.pk),
            version.get_state_display(),
            f"{timezone.localtime(version.created_at):%Y-%m-%d %H:%M}",
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
