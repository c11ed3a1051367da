"""Let recommenders play listeners they have never seen, round by round, and count what is liked."""

import json
import os
from argparse import ArgumentTypeError
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from accounts.models import User
from recommender.engine import EngineConfig, InvalidDataError, fit_model
from recommender.engine.evaluation import split_listeners
from recommender.engine.policies import FromScorer, model_policies, popularity, without_page_rules
from recommender.engine.simulation import Plan, SimulationRow, simulate
from recommender.engine.terms import Progress as Say
from recommender.evaluation_input import InputError, read_inputs
from recommender.peers import PeersMissingError, als, peer_factories

DIALS = (0.0, 0.5, 1.0)
ALS_FACTORS = 128
# Where nothing tells how wide the output may be, in a file or a pipe, no figure is cut off.
PLAIN_WIDTH = 120


class Command(BaseCommand):
    """``manage.py simulate --interactions FILE --catalogue FILE``."""

    # Nothing here touches the site or its database.
    requires_system_checks: tuple[str, ...] = ()
    help = (
        "Play test listeners round by round: 10 songs a round, those in their list are liked, the others skipped. "
        "A fifth of the listeners are test listeners and never trained on. No database is needed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--interactions", type=Path, required=True, metavar="FILE", help="CSV: listener,track_id[,plays]"
        )
        parser.add_argument(
            "--catalogue", type=Path, required=True, metavar="FILE", help="any file that import_tracks reads"
        )
        parser.add_argument("--start", type=_at_least(0), default=1, metavar="N", help="songs known (default: 1)")
        parser.add_argument("--rounds", type=_at_least(1), default=10, metavar="N", help="rounds (default: 10)")
        parser.add_argument("--seed", type=_at_least(0), default=0, help="seed of all draws (default: 0)")
        parser.add_argument("--listeners", type=_at_least(1), metavar="N", help="at most N test listeners")
        parser.add_argument("--dials", type=_dial, nargs="*", default=DIALS, metavar="D", help="adventure of explore@D")
        parser.add_argument("--page-rules", action="store_true", help="apply the songs-per-artist rule to every policy")
        parser.add_argument("--peers", action="store_true", help="add implicit's ALS, refolded (needs the extra bench)")
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows to FILE")
        parser.add_argument("--jobs", type=_at_least(1), metavar="N", help="worker processes (default: all cores)")

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(file=cast(IO[str], self.stdout), highlight=False, soft_wrap=True)
        if not console.is_terminal:
            console = Console(file=cast(IO[str], self.stdout), highlight=False, soft_wrap=True, width=PLAIN_WIDTH)
        path = options["json"]
        if path and not (path.parent.is_dir() and os.access(path.parent, os.W_OK)):
            # Before the work of minutes, not after it.
            raise CommandError(f"{path}: cannot be written")
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        try:
            with Progress(*columns, console=console, transient=True) if console.is_terminal else nullcontext() as shown:
                task = shown.add_task("read", total=1.0) if shown else None

                def say(step: str, share: float) -> None:
                    if shown and task is not None:
                        shown.update(task, description=step, completed=share)

                rows = _simulate(options, say)
        except (InputError, InvalidDataError, PeersMissingError) as error:
            raise CommandError(str(error)) from error
        if not rows:
            raise CommandError(f"{options['interactions']}: no test listener has more than {options['start']} songs")
        console.print(_table(rows, options))
        if path:
            _write(path, rows)


def _simulate(options: Mapping[str, Any], say: Say) -> list[SimulationRow]:
    if options["peers"]:
        peer_factories()  # says at once, and not after the fit, that they are missing
    say("read", 0.0)
    inputs = read_inputs(options["interactions"], options["catalogue"])
    seed = options["seed"]
    split_rng, fit_rng, peer_rng = np.random.default_rng(seed).spawn(3)
    split = split_listeners(inputs.interactions, split_rng)
    model = fit_model(inputs.catalogue, split.training, EngineConfig(), fit_rng, say)
    plan = Plan(options["start"], options["rounds"], listeners=options["listeners"], seed=seed)
    if not options["page_rules"]:
        model = without_page_rules(model)
    policies = dict(model_policies(model, options["dials"], User._meta.get_field("adventure").get_default()))
    if options["peers"]:
        say("fit als", 0.0)
        fitted = als(inputs.catalogue, split.training, peer_rng, factors=ALS_FACTORS)
        policies["als"] = FromScorer(fitted, popularity(model))
    jobs = options["jobs"] or os.cpu_count() or 1
    # implicit solves with threads of its own, which do not survive a fork.
    return simulate(policies, split, inputs.catalogue.n_tracks, plan, jobs=jobs, alone=("als",), progress=say)


def _table(rows: list[SimulationRow], options: Mapping[str, Any]) -> Table:
    songs = options["rounds"] * Plan().songs
    rules = "with" if options["page_rules"] else "without"
    table = Table(
        title=f"{rows[0].listeners:,} test listeners, {songs} songs shown to each, starting from {options['start']}",
        caption=f"95 % intervals over listeners; {rules} the songs-per-artist rule; what is not in a list counts as "
        "not liked, so true like rates are higher",
    )
    table.add_column("policy")
    for column in ("likes", "first round", "last round", "catalogue shown", "novelty, bits", "explored", "liked of it"):
        table.add_column(column, justify="right")
    for row in rows:
        total = row.likes_total
        table.add_row(
            row.policy,
            f"{total.mean:.2f} ({total.low:.2f}-{total.high:.2f})",
            f"{row.likes_per_round[0]:.2f}",
            f"{row.likes_per_round[-1]:.2f}",
            f"{row.songs_shown_share:.1%}",
            f"{row.novelty:.2f}",
            f"{row.explored_share:.1%}",
            "" if row.explored_like_rate is None else f"{row.explored_like_rate:.1%}",
        )
    return table


def _write(path: Path, rows: list[SimulationRow]) -> None:
    try:
        path.write_text(json.dumps({"rows": [_as_json(row) for row in rows]}, indent=1) + "\n")
    except OSError as error:
        raise CommandError(f"{path}: cannot be written: {error.strerror}") from error


def _as_json(row: SimulationRow) -> dict[str, Any]:
    total = row.likes_total
    return asdict(row) | {"likes_total": total.mean, "likes_total_low": total.low, "likes_total_high": total.high}


class _at_least:  # noqa: N801 - reads as a function where it is used
    """Argument type: a whole number that is not below ``low``."""

    def __init__(self, low: int) -> None:
        self.low = low

    def __call__(self, text: str) -> int:
        if not text.isascii() or not text.isdigit() or int(text) < self.low:
            raise ArgumentTypeError(f"{text!r} is not a whole number from {self.low} on")
        return int(text)


def _dial(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise ArgumentTypeError(f"{text!r} does not lie in 0..1")
    return value
