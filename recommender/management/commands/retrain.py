"""Fit a new model on what is in the database and let it serve."""

from pathlib import Path
from typing import IO, Any, cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from recommender.cluster import ClusterError, DaskEngine
from recommender.object_store import StoreError
from recommender.reports import quality_table
from recommender.training import SEED, EmptyCatalogueError, RetrainBusyError, RetrainResult, retrain


class Command(BaseCommand):
    """``manage.py retrain``."""

    help = "Fit a new model on the songs and the feedback in the database, measure it and let it serve."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--if-needed", action="store_true", help="Do nothing when nothing changed since the last.")
        parser.add_argument(
            "--incremental",
            action="store_true",
            help="Fold what is new into the active model: quicker than a full fit.",
        )
        parser.add_argument("--force", action="store_true", help="Let it serve even if it measures worse.")
        parser.add_argument(
            "--engine",
            choices=("local", "dask"),
            default="local",
            help="Where the matrix factorisation is computed; dask needs the extra `cluster` (default: %(default)s).",
        )
        parser.add_argument(
            "--scheduler", default="", help="Address of the Dask scheduler; without it, two workers here."
        )
        parser.add_argument(
            "--exchange",
            type=Path,
            help="A folder that the workers see under the same path (default: the folder of the models).",
        )
        parser.add_argument("--seed", type=int, default=SEED, help="Seed of all random draws (default: %(default)s).")

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(file=cast(IO[str], self.stdout), highlight=False, soft_wrap=True)
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        try:
            with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
                task = progress.add_task("retrain", total=1.0)
                result = retrain(
                    if_needed=options["if_needed"],
                    force=options["force"],
                    incremental=options["incremental"],
                    seed=options["seed"],
                    cluster=_cluster(options),
                    say=lambda step, share: progress.update(task, description=step, completed=share),
                )
        except RetrainBusyError as error:
            raise CommandError("another retrain is running; wait for it to end") from error
        except EmptyCatalogueError as error:
            raise CommandError("there are no songs yet: import some with manage.py import_tracks FILE") from error
        except StoreError as error:
            raise CommandError(f"the model that served goes on, for the store cannot be used: {error}") from error
        except ClusterError as error:
            raise CommandError(str(error)) from error
        if options["verbosity"] > 0:
            _report(result, console)


def _cluster(options: dict[str, Any]) -> DaskEngine | None:
    if options["engine"] == "local":
        if options["scheduler"] or options["exchange"]:
            raise CommandError("--scheduler and --exchange go with --engine dask")
        return None
    if options["incremental"]:
        raise CommandError("--engine dask is for a full fit: leave --incremental out")
    exchange: Path | None = options["exchange"]
    if exchange and not exchange.is_dir():
        raise CommandError(f"--exchange {exchange}: there is no such folder")
    return DaskEngine((exchange or Path(settings.MODEL_DIR)).resolve(), options["scheduler"])


def _report(result: RetrainResult, console: Console) -> None:
    if result.version is None:
        console.print("nothing changed since the last retrain: nothing done")
        return
    version = result.version
    counts = ", ".join(f"{count:,} {name}" for name, count in version.fitted_on.items())
    console.print(f"model {version.pk} fitted on {counts}; {_fate(result)}")
    console.print("seconds: " + ", ".join(f"{step} {seconds:.2f}" for step, seconds in version.timings.items()))
    if result.note:
        console.print(result.note)
    if not result.quality.rows:
        console.print(f"quality: not measured: {result.quality.note}")
        return
    console.print(_quality_table(result.quality.rows))
    if difference := result.quality.verdict.difference:
        console.print(
            f"nDCG@10 against the model that served before: {difference.mean:+.4f} "
            f"(95 % interval {difference.low:+.4f} to {difference.high:+.4f})"
        )


def _fate(result: RetrainResult) -> str:
    if result.is_serving:
        return "it serves from now on"
    return "it measures worse than the active model, which goes on serving (--force to let it serve all the same)"


def _quality_table(rows: list[dict[str, Any]]) -> Table:
    quality = quality_table(rows)
    table = Table(title="nDCG@10 (95 % interval) on listeners held out of the fit, by songs revealed")
    table.add_column("scorer")
    for reveal in quality.reveals:
        table.add_column(reveal, justify="right")
    for scorer, cells in quality.lines:
        table.add_row(scorer, *cells)
    return table
