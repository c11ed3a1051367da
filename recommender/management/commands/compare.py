"""Say what model versions and other policies would have earned on the pages that were logged."""

import json
from datetime import datetime
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from recommender.lifecycle.log_comparison import MAX_PAGES, EmptyLogError, LogComparison, compare_on_log
from recommender.lifecycle.object_store import StoreError
from recommender.operators.comparison import PolicyError, read_policies, sentences, since_of
from recommender.operators.evaluation_report import console_on


class Command(BaseCommand):
    """``manage.py compare VERSION VERSION [--since ...] [--json]``."""

    help = "Compare policies on the logged pages: what each would have earned there, with 95 % intervals."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "policies",
            nargs="+",
            metavar="POLICY",
            help="A version (14), a version at a setting of the dial (14@0.5), popularity or random. "
            "The first is what the others are compared with.",
        )
        parser.add_argument("--since", default="30", help="Days back, or a date such as 2026-11-01 (default: 30).")
        parser.add_argument("--pages", type=int, default=MAX_PAGES, help=f"Pages to judge (default: {MAX_PAGES}).")
        parser.add_argument("--reward", choices=("likes", "completions"), default="likes", help="What counts.")
        parser.add_argument("--json", action="store_true", help="Print all figures as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["pages"] < 1:
            raise CommandError("--pages: must be at least 1.")
        now = timezone.now()
        try:
            since = since_of(options["since"], now)
        except ValueError as error:
            message = f"--since: expected days or a date such as 2026-11-01, not {options['since']!r}."
            raise CommandError(message) from error
        comparison = self._compare(options, since, now)
        if options["json"]:
            self.stdout.write(json.dumps(comparison.to_dict(), indent=2))
            return
        console = console_on(cast(IO[str], self.stdout))
        console.print(_table(comparison))
        for sentence in sentences(comparison.to_dict()):
            console.print(sentence, markup=False)

    def _compare(self, options: dict[str, Any], since: datetime, now: datetime) -> LogComparison:
        # Figures go to the standard output, which may be JSON.
        console = Console(file=cast(IO[str], self.stderr))
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        try:
            policies = read_policies(options["policies"])
            with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
                task = progress.add_task("compare", total=1.0)
                return compare_on_log(
                    policies,
                    since=since,
                    until=now,
                    reward=options["reward"],
                    max_pages=options["pages"],
                    report_progress=lambda step, share: progress.update(task, description=step, completed=share),
                )
        except (PolicyError, StoreError) as error:
            raise CommandError(str(error)) from error
        except EmptyLogError as error:
            began = f"{timezone.localtime(since):%Y-%m-%d %H:%M}"
            message = f"No page was shown to a test listener since {began}; nothing can be compared."
            raise CommandError(message) from error


def _table(comparison: LogComparison) -> Table:
    title = f"{comparison.reward} per page, by estimator (95 % interval)"
    table = Table(title=title, box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in ("policy", "clipped IPS", "self-\nnormalised", "doubly robust"):
        # At 80 columns, too, no figure may be cut off.
        table.add_column(column, no_wrap=True)
    for column in ("effective songs", "overlap"):
        table.add_column(column, justify="right")
    for name, estimate in comparison.report.estimates.items():
        values = [f"{value.mean:.3f}\n({value.low:.3f}-{value.high:.3f})" for value in estimate.value.values()]
        table.add_row(name, *values, f"{estimate.effective_songs:.0f}", f"{estimate.overlap:.2f}")
    return table
