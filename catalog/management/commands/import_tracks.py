"""Bring songs from a CSV file into the catalogue."""

import csv
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError

from accounts.csv_cells import safe_cell
from catalog.importing.reader import Reject
from catalog.importing.service import ImportBrokenError, ImportReport, import_tracks
from catalog.importing.source import SourceError
from catalog.models import Track

SHOWN_REJECTS = 5


class Command(BaseCommand):
    """``manage.py import_tracks PATH``."""

    # Checking the site's pages and forms would take longer than importing a small file.
    requires_system_checks: tuple[str, ...] = ()
    help = "Bring songs from a .csv or .csv.gz file into the catalogue. Running it again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, help="the file: one row per song, or per song and genre")
        parser.add_argument("--dry-run", action="store_true", help="tell what would happen and write nothing")
        parser.add_argument(
            "--rejects", type=Path, metavar="FILE", help="write rows that are left out to this CSV: line, reason, row"
        )
        parser.add_argument("--limit", type=_positive, metavar="N", help="read only the first N rows")
        parser.add_argument(
            "--origin",
            choices=[Track.Origin.CSV.value, Track.Origin.DEMO.value],
            default=Track.Origin.CSV.value,
            help="demo marks new songs as invented for the demo",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["path"]
        try:
            with ExitStack() as stack:
                on_reject = stack.enter_context(_rejects_file(options["rejects"], path))
                on_progress = stack.enter_context(_progress_bar(path.name))
                report = import_tracks(
                    source=path,
                    limit=options["limit"],
                    is_dry_run=options["dry_run"],
                    origin=Track.Origin(options["origin"]),
                    on_reject=on_reject,
                    on_progress=on_progress,
                )
        except ImportBrokenError as error:
            self._show(error.report, options["rejects"])
            raise CommandError(str(error)) from error
        except SourceError as error:
            raise CommandError(str(error)) from error
        except (OperationalError, ProgrammingError) as error:
            raise CommandError(f"the database cannot be used (is it migrated?): {error}") from error
        except KeyboardInterrupt as error:
            raise CommandError("stopped; run the same command again to finish") from error
        self._show(report, options["rejects"])
        if report.rows_rejected == report.rows_read:
            raise CommandError(f"{path}: not one row could be used")

    def _show(self, report: ImportReport, rejects: Path | None) -> None:
        would = " (dry run: would be)" if report.is_dry_run else ""
        lines = {
            "rows read": f"{report.rows_read:,}",
            f"songs created{would}": f"{report.songs_created:,}",
            f"songs updated{would}": f"{report.songs_updated:,}",
            "songs unchanged": f"{report.songs_unchanged:,}",
            "rows rejected": f"{report.rows_rejected:,}",
            "genres": f"{report.genres:,}",
            "seconds": f"{report.seconds:.1f}",
        }
        width = max(map(len, lines))
        for label, value in lines.items():
            self.stdout.write(f"{label:<{width}}  {value:>10}")
        for reject in report.rejects[:SHOWN_REJECTS]:
            self.stdout.write(f"rejected line {reject.line}: {reject.reason}")
        if report.rows_rejected > SHOWN_REJECTS:
            where = f"all of them are in {rejects}" if rejects else "--rejects FILE writes all of them down"
            self.stdout.write(f"... and {report.rows_rejected - SHOWN_REJECTS:,} more; {where}")
        if report.is_unchanged:
            self.stdout.write("Nothing changed.")
        elif report.is_dry_run:
            self.stdout.write("Nothing was written.")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


@contextmanager
def _rejects_file(path: Path | None, source: Path) -> Iterator[Callable[[Reject], None] | None]:
    """Open the file for rejected rows, if one is wanted, and give out what writes to it."""
    if path is None:
        yield None
        return
    if path.exists() and source.exists() and path.samefile(source):
        raise CommandError(f"--rejects {path}: is the file to be imported")
    try:
        file = path.open("w", newline="", encoding="utf-8")
    except OSError as error:
        raise CommandError(f"--rejects {path}: cannot be written: {error.strerror}") from error
    with file:
        writer = csv.writer(file)
        writer.writerow(Reject._fields)
        yield lambda reject: writer.writerow([safe_cell(value) for value in reject])


@contextmanager
def _progress_bar(name: str) -> Iterator[Callable[[int, int], None] | None]:
    """Show a bar of the bytes read while on a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(name, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
