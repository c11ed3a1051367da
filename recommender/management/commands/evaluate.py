"""Measure how well rankings find what unseen listeners have, beside other recommenders."""

import json
from argparse import ArgumentTypeError
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from recommender.engine import EngineConfig, InvalidDataError
from recommender.engine.cold_start import compare_cold
from recommender.engine.evaluation import EvaluationRow, Measured, Reveal, compare, unplayed_shares
from recommender.engine.metrics import Interval
from recommender.engine.terms import Progress as Say
from recommender.evaluation_input import InputError, Inputs, read_inputs
from recommender.peers import PEERS, PeersMissingError, peer_factories

# Where nothing tells how wide the output may be, in a file or a pipe, no figure is cut off.
PLAIN_WIDTH = 100
REVEALS = ("1", "5", "20", "80%")


class Command(BaseCommand):
    """``manage.py evaluate --interactions FILE --catalogue FILE``."""

    # Nothing here touches the site or its database.
    requires_system_checks: tuple[str, ...] = ()
    help = (
        "Train on four fifths of the listeners, reveal some tracks of each of the others, and measure how well every "
        "ranking finds the rest. No database is needed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--interactions", type=Path, required=True, metavar="FILE", help="CSV: listener,track_id[,plays]"
        )
        parser.add_argument(
            "--catalogue", type=Path, required=True, metavar="FILE", help="any file that import_tracks reads"
        )
        parser.add_argument(
            "--reveal", type=_reveal, nargs="+", default=REVEALS, metavar="N", help="tracks, or a share such as 80%%"
        )
        parser.add_argument("--seed", type=_seed, default=0, help="seed of all draws (default: 0)")
        parser.add_argument("--peers", action="store_true", help="beside other recommenders (needs the extra bench)")
        parser.add_argument("--cold-tracks", action="store_true", help="find only tracks that nobody else has")
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows to FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(file=cast(IO[str], self.stdout), highlight=False, soft_wrap=True)
        if not console.is_terminal:
            console = Console(file=cast(IO[str], self.stdout), highlight=False, soft_wrap=True, width=PLAIN_WIDTH)
        _check_writable(options["json"])
        try:
            measured = _measure(options, console)
        except (InputError, InvalidDataError, PeersMissingError) as error:
            raise CommandError(str(error)) from error
        if not measured:
            raise CommandError(f"{options['interactions']}: no test listener has enough tracks for --reveal")
        rows = {one: one.row(options["seed"]) for one in measured}
        _show(measured, rows, console, options)
        if options["json"]:
            _write(options["json"], rows, options["seed"])


def _measure(options: Mapping[str, Any], console: Console) -> list[Measured]:
    others = peer_factories() if options["peers"] else {}
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) if console.is_terminal else nullcontext() as shown:
        say = _sayer(shown)
        say("read", 0.0)
        inputs: Inputs = read_inputs(options["interactions"], options["catalogue"])
        for note in inputs.notes:
            console.print(note)
        if not options["cold_tracks"]:
            console.print(_unplayed(inputs, options["seed"]))
        protocol = compare_cold if options["cold_tracks"] else compare
        reveals = list(dict.fromkeys(options["reveal"]))
        data = inputs.catalogue, inputs.interactions, EngineConfig()
        return protocol(*data, reveals, options["seed"], others, say)


def _sayer(shown: Progress | None) -> Say:
    if shown is None:
        return lambda _step, _share: None
    task = shown.add_task("", total=1.0)
    return lambda step, share: shown.update(task, description=step, completed=share)


def _unplayed(inputs: Inputs, seed: int) -> str:
    of_lists, of_catalogue = unplayed_shares(inputs.catalogue, inputs.interactions, seed)
    line = (
        f"no training listener has {of_lists:.0%} of the test listeners' tracks and {of_catalogue:.0%} of the catalogue"
    )
    if of_lists <= of_catalogue:
        return line
    return f"{line}: in these files a ranking gains by preferring what nobody has; see docs/evaluation.md"


# --- what is printed -------------------------------------------------------------------------------------------------
def _show(
    measured: Sequence[Measured], rows: Mapping[Measured, EvaluationRow], console: Console, options: Mapping[str, Any]
) -> None:
    for reveal in dict.fromkeys(one.reveal for one in measured):
        here = [one for one in measured if one.reveal == reveal]
        console.print(_table(here, rows, is_cold=options["cold_tracks"]))
    if skipped := [label for label in options["reveal"] if label not in {one.reveal for one in measured}]:
        console.print(f"left out: no test listener has enough tracks to reveal {', '.join(skipped)}")
    for line in _verdicts(measured, options["seed"]):
        console.print(line)
    console.print(
        "A listener's taste is wider than any list: what is not in it counts as wrong, for all scorers alike."
    )


def _table(measured: Sequence[Measured], rows: Mapping[Measured, EvaluationRow], *, is_cold: bool) -> Table:
    first, best = measured[0], _best_peer(measured)
    amount = "1 track" if first.reveal == "1" else f"{first.reveal} of their tracks"
    what = "; to be found: cold tracks" if is_cold else ""
    table = Table(
        title=f"{len(first.ndcg_at_10):,} test listeners, {amount} revealed{what}",
        caption="* the best peer" if best else None,
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
    )
    table.add_column("scorer", no_wrap=True)
    for column in ("nDCG@10, 95 %", "nDCG@100", "Recall@20", "coverage@10", "novelty"):
        table.add_column(column, justify="right", no_wrap=True)
    for one in measured:
        row = rows[one]
        name = f"{row.scorer} *" if one is best else row.scorer
        style = "bold" if row.scorer == "blend" or one is best else None
        table.add_row(name, *_cells(row), style=style)
    return table


def _cells(row: EvaluationRow) -> list[str]:
    ndcg = row.ndcg_at_10
    return [
        f"{ndcg.mean:.3f} {ndcg.low:.3f}-{ndcg.high:.3f}",
        f"{row.ndcg_at_100.mean:.3f}",
        f"{row.recall_at_20.mean:.3f}",
        f"{row.coverage_at_10:.1%}",
        f"{row.novelty_at_10:.2f}",
    ]


def _best_peer(measured: Sequence[Measured]) -> Measured | None:
    peers = [one for one in measured if one.scorer in PEERS]
    return max(peers, key=lambda one: float(one.ndcg_at_10.mean()), default=None)


def _versus_best_peer(measured: Sequence[Measured], seed: int) -> dict[str, tuple[str, Interval]]:
    """Return name of the best peer and what the blend has more, in nDCG@10, by the amount revealed."""
    found = {}
    for reveal in dict.fromkeys(one.reveal for one in measured):
        here = [one for one in measured if one.reveal == reveal]
        blend = next(one for one in here if one.scorer == "blend")
        if best := _best_peer(here):
            found[reveal] = best.scorer, blend.minus(best, seed)
    return found


def _verdicts(measured: Sequence[Measured], seed: int) -> list[str]:
    """Return in plain words where the blend is ahead of the best peer, and where it is not even its own best part."""
    lines = []
    for reveal, (peer, gap) in _versus_best_peer(measured, seed).items():
        figures = f"{gap.mean:+.3f} ({gap.low:+.3f} to {gap.high:+.3f})"
        lines.append(f"{reveal} revealed: blend minus {peer}, the best peer: {figures}: {_verdict(gap)}")
    for blend in (one for one in measured if one.scorer == "blend"):
        here = [one for one in measured if one.reveal == blend.reveal and one.scorer not in PEERS]
        best = max(here, key=lambda one: float(one.ndcg_at_10.mean()))
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
def _check_writable(path: Path | None) -> None:
    """Refuse before minutes of work what could not be written after them."""
    if path is not None and (path.is_dir() or not path.parent.is_dir()):
        raise CommandError(f"{path}: cannot be written there")


def _write(path: Path, measured: Mapping[Measured, EvaluationRow], seed: int) -> None:
    rows = [_as_json(row) for row in measured.values()]
    gaps = _versus_best_peer(list(measured), seed)
    for row in rows:
        if row["scorer"] == "blend" and row["reveal"] in gaps:
            peer, gap = gaps[row["reveal"]]
            row.update({"best_peer": peer, **_flat("ndcg_at_10_minus_best_peer", gap)})
    try:
        path.write_text(json.dumps({"rows": rows}, indent=1) + "\n")
    except OSError as error:
        raise CommandError(f"{path}: cannot be written: {error.strerror}") from error


def _as_json(row: EvaluationRow) -> dict[str, Any]:
    """Return the row with each interval as its mean, its bounds beside it."""
    found: dict[str, Any] = {}
    for name in asdict(row):
        value = getattr(row, name)
        found |= _flat(name, value) if isinstance(value, Interval) else {name: value}
    return found


def _flat(name: str, interval: Interval) -> dict[str, float]:
    return {name: interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}


# --- arguments -------------------------------------------------------------------------------------------------------
def _reveal(text: str) -> str:
    try:
        return Reveal(text).label
    except InvalidDataError as error:
        raise ArgumentTypeError(str(error)) from error


def _seed(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return int(text)
