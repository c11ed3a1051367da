"""Measure how well rankings find what unseen listeners have, beside other recommenders."""

import math
from argparse import ArgumentTypeError
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from recommender.adapters.files import InputError, Inputs, read_inputs
from recommender.engine import EngineConfig, InvalidDataError
from recommender.engine.evaluation import (
    REVEALS,
    EvaluationRow,
    Interval,
    Measured,
    Reveal,
    compare,
    compare_cold,
    unplayed_shares,
    without_terms,
)
from recommender.operators.evaluation_report import (
    as_json,
    check_writable,
    console_on,
    difference,
    flat,
    plain_table,
    progress_on,
    with_bounds,
    write_report,
)
from recommender.operators.peers import PEERS, PeersMissingError, peer_factories
from recommender.operators.rated_report import evaluate_answers

# Options that say something of one kind of file only.
OF_INTERACTIONS, OF_ANSWERS = ("peers", "cold_tracks"), ("folds", "like_from")


class Command(BaseCommand):
    """``manage.py evaluate --interactions FILE --catalogue FILE``, or ``--answers FILE``."""

    # Nothing here touches the site or its database.
    requires_system_checks: tuple[str, ...] = ()
    help = (
        "Measure recommendation quality on your own data. Trains on 80 % of the listeners, reveals some tracks of the "
        "others, and checks how well each method finds the rest (--interactions) or tells their likes from their "
        "dislikes (--answers). Needs no database."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument(
            "--interactions", type=Path, metavar="FILE", help="CSV file with the columns listener,track_id[,plays]."
        )
        source.add_argument(
            "--answers",
            type=Path,
            metavar="FILE",
            help="CSV file with the columns listener,track_id and answer (like or dislike) or, with --like-from, "
            "rating. It can also have test (1 if this listener is never trained on) and judged (1 if this answer is "
            "ranked, but never revealed or trained on).",
        )
        parser.add_argument(
            "--catalogue", type=Path, required=True, metavar="FILE", help="Any file that import_tracks can read."
        )
        parser.add_argument(
            "--reveal",
            type=_reveal,
            nargs="+",
            metavar="N",
            help="Numbers of tracks to reveal, or a share such as 80%% (default: 1 5 20 80%%, with --answers 5 20 50).",
        )
        parser.add_argument("--seed", type=_count, default=0, help="Random seed (default: 0).")
        parser.add_argument(
            "--without", action="append", default=[], metavar="TERM", help="A term to leave out. Can be repeated."
        )
        parser.add_argument(
            "--peers", action="store_true", help="Also measure other recommenders (needs the extra `bench`)."
        )
        parser.add_argument(
            "--cold-tracks", action="store_true", help="Look only for tracks that no training listener has."
        )
        parser.add_argument(
            "--like-from", type=_number, metavar="R", help="With --answers, ratings of R and above are likes."
        )
        parser.add_argument(
            "--folds",
            type=_count,
            metavar="K",
            help="With --answers, train K times, so that each listener is tested once.",
        )
        parser.add_argument("--json", type=Path, metavar="FILE", help="Write the results to FILE as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        _check_options(options)
        check_writable(options["json"])
        console = console_on(cast(IO[str], self.stdout))
        evaluated = evaluate_answers if options["answers"] else _evaluate_interactions
        try:
            config = without_terms(EngineConfig(), options["without"])
            rows = evaluated(options, config, console)
        except (InputError, InvalidDataError, PeersMissingError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            write_report(options["json"], {"rows": rows})


def _check_options(options: Mapping[str, Any]) -> None:
    source, foreign = ("--answers", OF_INTERACTIONS) if options["answers"] else ("--interactions", OF_ANSWERS)
    for name in foreign:
        if options[name] is not None and options[name] is not False:
            raise CommandError(f"--{name.replace('_', '-')} can't be used with {source}")


def _evaluate_interactions(options: Mapping[str, Any], config: EngineConfig, console: Console) -> list[dict[str, Any]]:
    reveals = list(dict.fromkeys(options["reveal"] or REVEALS))
    measured = _measure(options, config, reveals, console)
    if not measured:
        raise CommandError(f"{options['interactions']}: no test listener has enough tracks for --reveal")
    rows = {line: line.row(options["seed"]) for line in measured}
    _show(measured, rows, console, options, reveals)
    return _as_json(rows, options["seed"])


def _measure(
    options: Mapping[str, Any], config: EngineConfig, reveals: Sequence[str], console: Console
) -> list[Measured]:
    others = peer_factories() if options["peers"] else {}
    with progress_on(console) as report_progress:
        report_progress("read", 0.0)
        inputs: Inputs = read_inputs(options["interactions"], options["catalogue"])
        for note in inputs.notes:
            console.print(note)
        if not options["cold_tracks"]:
            console.print(_unplayed(inputs, options["seed"]))
        protocol = compare_cold if options["cold_tracks"] else compare
        data = inputs.catalogue, inputs.interactions, config
        return protocol(*data, reveals, options["seed"], others, report_progress)


def _unplayed(inputs: Inputs, seed: int) -> str:
    of_lists, of_catalogue = unplayed_shares(inputs.catalogue, inputs.interactions, seed)
    line = (
        f"no training listener has {of_lists:.0%} of the test listeners' tracks and {of_catalogue:.0%} of the catalogue"
    )
    if of_lists <= of_catalogue:
        return line
    return f"{line}: in these files a ranking gains by preferring what nobody has (see docs/evaluation.md)"


# --- what is printed -------------------------------------------------------------------------------------------------
def _show(
    measured: Sequence[Measured],
    rows: Mapping[Measured, EvaluationRow],
    console: Console,
    options: Mapping[str, Any],
    reveals: Sequence[str],
) -> None:
    for reveal in dict.fromkeys(result.reveal for result in measured):
        here = [result for result in measured if result.reveal == reveal]
        console.print(_table(here, rows, is_cold=options["cold_tracks"]))
    if skipped := [label for label in reveals if label not in {result.reveal for result in measured}]:
        console.print(f"Skipped, because no test listener has enough tracks to reveal: {', '.join(skipped)}")
    for line in _verdicts(measured, options["seed"]):
        console.print(line)
    console.print(
        "No list covers a listener's whole taste. Songs that aren't in it count as wrong, for all methods alike."
    )


def _table(measured: Sequence[Measured], rows: Mapping[Measured, EvaluationRow], *, is_cold: bool) -> Table:
    first, best = measured[0], _best_peer(measured)
    amount = "1 track" if first.reveal == "1" else f"{first.reveal} of their tracks"
    what = ", only cold tracks are looked for" if is_cold else ""
    table = plain_table(
        f"{len(first.ndcg_at_10):,} test listeners, {amount} revealed{what}",
        ("nDCG@10, 95 %", "nDCG@100", "Recall@20", "coverage@10", "novelty"),
        caption="* the best peer" if best else None,
    )
    for line in measured:
        row = rows[line]
        name = f"{row.scorer} *" if line is best else row.scorer
        style = "bold" if row.scorer == "blend" or line is best else None
        table.add_row(name, *_cells(row), style=style)
    return table


def _cells(row: EvaluationRow) -> list[str]:
    return [
        with_bounds(row.ndcg_at_10),
        f"{row.ndcg_at_100.mean:.3f}",
        f"{row.recall_at_20.mean:.3f}",
        f"{row.coverage_at_10:.1%}",
        f"{row.novelty_at_10:.2f}",
    ]


def _best_peer(measured: Sequence[Measured]) -> Measured | None:
    peers = [line for line in measured if line.scorer in PEERS]
    return max(peers, key=lambda line: float(line.ndcg_at_10.mean()), default=None)


def _versus_best_peer(measured: Sequence[Measured], seed: int) -> dict[str, tuple[str, Interval]]:
    """Return name of the best peer and what the blend has more, in nDCG@10, by the amount revealed."""
    differences = {}
    for reveal in dict.fromkeys(line.reveal for line in measured):
        here = [line for line in measured if line.reveal == reveal]
        blend = next(line for line in here if line.scorer == "blend")
        if best := _best_peer(here):
            differences[reveal] = best.scorer, blend.minus(best, seed)
    return differences


def _verdicts(measured: Sequence[Measured], seed: int) -> list[str]:
    """Return in plain words where the blend is ahead of the best peer, and where it is not even its own best part."""
    lines = []
    for reveal, (peer, gap) in _versus_best_peer(measured, seed).items():
        lines.append(f"{reveal} revealed: blend minus {peer}, the best peer: {difference(gap)}, {_verdict(gap)}")
    for blend in (line for line in measured if line.scorer == "blend"):
        here = [line for line in measured if line.reveal == blend.reveal and line.scorer not in PEERS]
        best = max(here, key=lambda line: float(line.ndcg_at_10.mean()))
        if best.ndcg_at_10.mean() > blend.ndcg_at_10.mean() and best.scorer != "page":
            lines.append(f"{blend.reveal} revealed: the blend is NOT ahead of its own part {best.scorer}")
    return lines


def _verdict(gap: Interval) -> str:
    if gap.low > 0:
        return "ahead"
    if gap.high < 0:
        return "NOT ahead, clearly behind"
    return "ahead, but within chance" if gap.mean > 0 else "NOT ahead, within chance"


# --- what is written -------------------------------------------------------------------------------------------------
def _as_json(measured: Mapping[Measured, EvaluationRow], seed: int) -> list[dict[str, Any]]:
    rows = [as_json(row) for row in measured.values()]
    gaps = _versus_best_peer(list(measured), seed)
    for row in rows:
        if row["scorer"] == "blend" and row["reveal"] in gaps:
            peer, gap = gaps[row["reveal"]]
            row.update({"best_peer": peer, **flat("ndcg_at_10_minus_best_peer", gap)})
    return rows


# --- arguments -------------------------------------------------------------------------------------------------------
def _reveal(text: str) -> str:
    try:
        return Reveal(text).label
    except InvalidDataError as error:
        raise ArgumentTypeError(str(error)) from error


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ArgumentTypeError(f"{text!r} must be a whole number, 0 or more")
    return int(text)


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ArgumentTypeError(f"{text!r} must be a number")
    return number
