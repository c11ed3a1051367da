"""What the ways of ``evaluate`` have in common: progress, figures as JSON, a difference in plain words."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from django.core.management.base import CommandError
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as ProgressBar
from rich.table import Table

from jobs.files import write_whole
from recommender.engine import Progress, no_progress
from recommender.engine.evaluation import Interval

# In a file or a pipe, whose width is unknown, no figure is cut off.
PLAIN_WIDTH = 100


def console_on(stream: IO[str]) -> Console:
    """Return what tables are printed on."""
    console = Console(file=stream, highlight=False, soft_wrap=True)
    return console if console.is_terminal else Console(file=stream, highlight=False, soft_wrap=True, width=PLAIN_WIDTH)


@contextmanager
def progress_on(console: Console) -> Iterator[Progress]:
    """Show a progress bar on a terminal, elsewhere nothing."""
    if not console.is_terminal:
        yield no_progress
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with ProgressBar(*columns, console=console, transient=True) as shown:
        task = shown.add_task("", total=1.0)
        yield lambda step, share: shown.update(task, description=step, completed=share)


def plain_table(title: str, columns: Sequence[str], caption: str | None = None) -> Table:
    """Return a table of scorers (the first column) and their figures, to be filled."""
    table = Table(title=title, caption=caption, box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("scorer", no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def with_bounds(interval: Interval) -> str:
    """Return mean and bounds as a cell of a table."""
    return f"{interval.mean:.3f} {interval.low:.3f}-{interval.high:.3f}"


def difference(interval: Interval) -> str:
    """Return a difference and its bounds, with signs."""
    return f"{interval.mean:+.3f} ({interval.low:+.3f} to {interval.high:+.3f})"


def check_writable(path: Path | None) -> None:
    """Refuse an output file that cannot be written before minutes of work, not after them."""
    if path is not None and (path.is_dir() or not path.parent.is_dir()):
        raise CommandError(f"{path}: can't write there")


def write_report(path: Path, report: Mapping[str, Any]) -> None:
    """Write the report as JSON, whole or not at all."""
    try:
        write_whole(path, f"{json.dumps(report, indent=1)}\n".encode())
    except OSError as error:
        raise CommandError(f"{path}: can't write there: {error.strerror}") from error


def as_json(row: Any) -> dict[str, Any]:
    """Return a row (a dataclass) with each interval as its mean, its bounds beside it; what is None is left out."""
    flattened: dict[str, Any] = {}
    for name in asdict(row):
        value = getattr(row, name)
        if value is not None:
            flattened |= flat(name, value) if isinstance(value, Interval) else {name: value}
    return flattened


def flat(name: str, interval: Interval) -> dict[str, float]:
    """Return an interval as three figures."""
    return {name: interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}
