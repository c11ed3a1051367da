"""``evaluate --answers``: measured, printed and written."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.management.base import CommandError
from rich.console import Console
from rich.table import Table

from recommender.adapters.rated_files import read_answers
from recommender.engine import EngineConfig
from recommender.engine.evaluation import LIKES_ONLY, MODEL, Interval, RatingEvaluationRow, compare_ratings, rating_rows
from recommender.operators.evaluation_report import as_json, difference, plain_table, progress_on, with_bounds

REVEALS = ("5", "20", "50")


def evaluate_answers(options: Mapping[str, Any], config: EngineConfig, console: Console) -> list[dict[str, Any]]:
    """Measure as the options of the command have it, print the tables and return the rows.

    Raises:
        CommandError: nobody could be judged.
        InputError, InvalidDataError: a file or an option cannot be used.
    """
    reveals = list(dict.fromkeys(options["reveal"] or REVEALS))
    with progress_on(console) as report_progress:
        report_progress("read", 0.0)
        inputs = read_answers(options["answers"], options["catalogue"], options["like_from"])
        for note in inputs.notes:
            console.print(note)
        data = inputs.catalogue, inputs.answered, config
        measured = compare_ratings(*data, reveals, options["seed"], options["folds"], report_progress)
    if not measured:
        wanted = "enough answers for --reveal and, beyond these, a like and a dislike"
        raise CommandError(f"{options['answers']}: no test person has {wanted}")
    rows = rating_rows(measured, options["seed"])
    _show(rows, reveals, console)
    return [as_json(row) for row in rows]


def _show(rows: Sequence[RatingEvaluationRow], reveals: Sequence[str], console: Console) -> None:
    shown = list(dict.fromkeys(row.reveal for row in rows))
    for reveal in shown:
        console.print(_table([row for row in rows if row.reveal == reveal]))
    if skipped := [reveal for reveal in reveals if reveal not in shown]:
        console.print(f"left out: no test person has enough answers to reveal {', '.join(skipped)}")
    for row in rows:
        if row.auc_minus_likes_only:
            gain = row.auc_minus_likes_only
            console.print(
                f"{row.reveal} revealed: AUC of {MODEL} minus {LIKES_ONLY}: {difference(gain)}: {_verdict(gain)}"
            )


def _table(rows: Sequence[RatingEvaluationRow]) -> Table:
    first = rows[0]
    amount = "1 answer" if first.reveal == "1" else f"{first.reveal} of their answers"
    table = plain_table(f"{first.people:,} test people, {amount} revealed", ("AUC, 95 %", "nDCG@5, 95 %"))
    for row in rows:
        cells = with_bounds(row.auc), with_bounds(row.ndcg_at_5)
        table.add_row(row.scorer, *cells, style="bold" if row.scorer == MODEL else None)
    return table


def _verdict(gain: Interval) -> str:
    if gain.low > 0:
        return "dislikes help"
    if gain.high < 0:
        return "dislikes HARM"
    return "within chance"
