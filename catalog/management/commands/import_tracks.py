"""Bring songs from a CSV file into the catalogue."""

import csv
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.personal_data.csv_cells import safe_cell
from catalog.importing.reading.layout import FIELDS
from catalog.importing.reading.reader import Reject
from catalog.importing.reading.source import SourceError
from catalog.importing.service import ColumnReport, ImportBrokenError, ImportReport, import_tracks
from catalog.models import Track
from jobs.files import named_in_errors

SHOWN_REJECTS = 5


class Command(BaseCommand):
    """``manage.py import_tracks PATH``."""

    # Checking the site's pages and forms would take longer than importing a small file.
    requires_system_checks: tuple[str, ...] = ()
    help = (
        "Import songs from a .csv or .csv.gz file into the catalogue. Running it again with the same file changes "
        "nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, help="The file, with one row per song, or per song and genre.")
        parser.add_argument("--dry-run", action="store_true", help="Show what would happen without changing anything.")
        parser.add_argument(
            "--rejects", type=Path, metavar="FILE", help="Write skipped rows to this CSV file (line, reason, row)."
        )
        parser.add_argument(
            "--map",
            type=_mapping,
            action="append",
            default=[],
            metavar="FIELD=HEADING",
            help="Read FIELD from the column HEADING, as in --map title=song_name. With no HEADING the field is "
            f"skipped. Fields: {', '.join(FIELDS)}.",
        )
        parser.add_argument("--limit", type=_positive, metavar="N", help="Read only the first N rows.")
        parser.add_argument(
            "--origin",
            choices=[Track.Origin.CSV.value, Track.Origin.DEMO.value],
            default=Track.Origin.CSV.value,
            help="`demo` marks new songs as made up for the demo.",
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
                    mapping=dict(options["map"]),
                )
        except ImportBrokenError as error:
            self._show(error.report, options["rejects"])
            raise CommandError(str(error)) from error
        except SourceError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt as error:
            raise CommandError("Stopped. Run the same command again to finish.") from error
        self._show(report, options["rejects"])
        if report.rows_rejected == report.rows_read:
            raise CommandError(f"{path}: none of the rows could be imported.")

    def _show(self, report: ImportReport, rejects: Path | None) -> None:
        would = " (dry run: would be)" if report.is_dry_run else ""
        lines = {
            "rows read": f"{report.rows_read:,}",
            f"songs created{would}": f"{report.songs_created:,}",
            f"songs updated{would}": f"{report.songs_updated:,}",
            "songs unchanged": f"{report.songs_unchanged:,}",
            "rows that repeat a song of the file": f"{report.rows_repeated:,}",
            "rows skipped": f"{report.rows_rejected:,}",
            "genres": f"{report.genres:,}",
            "seconds": f"{report.seconds:.1f}",
        }
        width = max(map(len, lines))
        for label, value in lines.items():
            self.stdout.write(f"{label:<{width}}  {value:>10}")
        self._show_columns(report.columns)
        for reject in report.rejects[:SHOWN_REJECTS]:
            self.stdout.write(f"skipped line {reject.line}: {reject.reason}")
        if report.rows_rejected > SHOWN_REJECTS:
            where = f"see {rejects} for all of them" if rejects else "use --rejects FILE to save all of them"
            self.stdout.write(f"... and {report.rows_rejected - SHOWN_REJECTS:,} more; {where}")
        if report.is_unchanged:
            self.stdout.write("Nothing changed.")
        elif report.is_dry_run:
            self.stdout.write("Nothing was written.")

    def _show_columns(self, columns: ColumnReport) -> None:
        used = ", ".join(heading if heading == name else f"{heading} as {name}" for heading, name in columns.used)
        lines = {
            "used": used,
            "not used": ", ".join(columns.not_used),
            "unknown in every row": ", ".join(columns.unknown),
            "understood": "; ".join(columns.notes),
        }
        for label, text in lines.items():
            if text:
                self.stdout.write(f"{label}: {text}")
        for flaw in columns.flaws:
            first = "; ".join(f"line {value.line}: {value.reason}" for value in flaw.first)
            more = "; ..." if flaw.values > len(flaw.first) else ""
            self.stdout.write(f"not understood, so unknown: {flaw.field} in {flaw.values:,} rows ({first}{more})")


def _mapping(text: str) -> tuple[str, str]:
    name, sign, heading = text.partition("=")
    if not sign:
        raise ArgumentTypeError(f"{text!r} must look like FIELD=HEADING")
    return name.strip(), heading.strip()


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} must be a whole number above 0")
    return int(text)


@contextmanager
def _rejects_file(path: Path | None, source: Path) -> Iterator[Callable[[Reject], None] | None]:
    """Open the file for rejected rows, if one is wanted, and give out what writes to it."""
    if path is None:
        yield None
        return
    if path.exists() and source.exists() and path.samefile(source):
        raise CommandError(f"--rejects {path}: this is the file you are importing. Choose another one.")
    try:
        file = path.open("w", newline="", encoding="utf-8")
    except OSError as error:
        raise CommandError(f"--rejects {path}: can't write to this file: {error.strerror}") from error
    with named_in_errors(path), file:
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

    columns = TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(name, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
