"""A progress bar in bytes, on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from spotify_rec.backup.common import ReportProgress


@contextmanager
def bytes_bar(stdout: Any, total: int) -> Iterator[ReportProgress]:
    """Show how far the work is, of ``total`` bytes."""
    console = Console(file=cast(IO[str], stdout), highlight=False, soft_wrap=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=total)
        yield lambda step, size: progress.update(task, description=step, advance=size)
