"""A bar of the songs read, while somebody looks."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from catalog.sources.servers.services import Progress


@contextmanager
def progress_bar(name: str) -> Iterator[Progress]:
    """Show a bar while on a terminal."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn()
    with Bar(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(name, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=max(done, total))
