"""Fit a new model on what is in the database and let it serve."""

from pathlib import Path
from typing import IO, Any, cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from recommender.lifecycle.object_store import StoreError
from recommender.lifecycle.training import SEED, EmptyCatalogueError, RetrainBusyError, RetrainResult, retrain
from recommender.operators.comparison import sentences
from recommender.operators.reports import quality_table
from recommender.scale.cluster import ClusterError, DaskEngine


class Command(BaseCommand):
    """``manage.py retrain``."""

    help = (
        "Train a new model on the songs and feedback in the database, measure it, and activate it unless it is "
        "worse than the active one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--if-needed", action="store_true", help="Do nothing if nothing has changed since the last retraining."
        )
        parser.add_argument(
            "--incremental",
            action="store_true",
            help="Add new data to the active model. Faster than a full retraining.",
        )
        parser.add_argument("--force", action="store_true", help="Activate the new model even if it scores worse.")
        parser.add_argument(
            "--engine",
            choices=("local", "dask"),
            default="local",
            help="Where to compute the matrix factorisation. dask needs the extra `cluster` (default: %(default)s).",
        )
        parser.add_argument(
            "--scheduler", default="", help="Address of the Dask scheduler. Without it, two local workers are started."
        )
        parser.add_argument(
            "--exchange",
            type=Path,
            help="A folder that all workers see at the same path (default: the models folder).",
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
                    report_progress=lambda step, share: progress.update(task, description=step, completed=share),
                )
        except RetrainBusyError as error:
            raise CommandError("Another retraining is running. Wait for it to finish.") from error
        except EmptyCatalogueError as error:
            raise CommandError("There are no songs yet. Import some with: manage.py import_tracks FILE") from error
        except StoreError as error:
            raise CommandError(
                f"The active model stays in use, because the model store can't be reached: {error}"
            ) from error
        except ClusterError as error:
            raise CommandError(str(error)) from error
        if options["verbosity"] > 0:
            _report(result, console)


def _cluster(options: dict[str, Any]) -> DaskEngine | None:
    if options["engine"] == "local":
        if options["scheduler"] or options["exchange"]:
            raise CommandError("--scheduler and --exchange need --engine dask")
        return None
    if options["incremental"]:
        raise CommandError("--engine dask can't be combined with --incremental")
    exchange: Path | None = options["exchange"]
    if exchange and not exchange.is_dir():
        raise CommandError(f"--exchange {exchange}: no such folder")
    return DaskEngine((exchange or Path(settings.MODEL_DIR)).resolve(), options["scheduler"])


def _report(result: RetrainResult, console: Console) -> None:
    if result.version is None:
        console.print("Nothing has changed since the last retraining. Nothing to do.")
        return
    version = result.version
    counts = ", ".join(f"{count:,} {name}" for name, count in version.fitted_on.items())
    console.print(f"Trained model version {version.pk} on {counts}; {_fate(result)}")
    console.print("seconds: " + ", ".join(f"{step} {seconds:.2f}" for step, seconds in version.timings.items()))
    if result.note:
        console.print(result.note)
    if not result.quality.rows:
        console.print(f"Quality not measured: {result.quality.note}")
        return
    console.print(_quality_table(result.quality.rows))
    if difference := result.quality.verdict.difference:
        console.print(
            f"nDCG@10 compared with the previous model: {difference.mean:+.4f} (95 % interval "
            f"{difference.low:+.4f} to {difference.high:+.4f})"
        )
    if on_log := result.quality.on_log:
        for sentence in sentences(on_log.to_dict()):
            console.print(sentence, markup=False)


def _fate(result: RetrainResult) -> str:
    if result.is_serving:
        return "it is now active"
    if result.quality.verdict.is_worse:
        return "it scores worse than the active version, which stays active (use --force to activate it anyway)"
    return (
        "the log says that it would earn fewer likes than the active version, which stays active "
        "(use --force to activate it anyway)"
    )


def _quality_table(rows: list[dict[str, Any]]) -> Table:
    quality = quality_table(rows)
    table = Table(title="nDCG@10 (95 % interval) on listeners held out of the fit, by songs revealed")
    table.add_column("scorer")
    for reveal in quality.reveals:
        table.add_column(reveal, justify="right")
    for scorer, cells in quality.lines:
        table.add_row(scorer, *cells)
    return table
