"""Let recommenders play listeners they have never seen, round by round, and count what is liked."""

import math
import os
from argparse import ArgumentTypeError
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import numpy as np
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as ProgressBar
from rich.table import Table

from accounts.models import User
from recommender.adapters.files import InputError, read_inputs
from recommender.adapters.rated_files import read_answers
from recommender.engine import Catalogue, EngineConfig, Interactions, InvalidDataError, Progress, fit_model
from recommender.engine.evaluation import (
    DISLIKE_SHARE,
    GREEDY,
    FromScorer,
    LoopPlan,
    Plan,
    SimulatedListener,
    SimulationRow,
    SitePlan,
    interactions_of,
    listed,
    listener_share,
    model_policies,
    people_by_fit,
    popularity,
    rating_listeners,
    simulate,
    split_listeners,
    without_page_rules,
)
from recommender.operators.evaluation_report import flat, write_report
from recommender.operators.learning_report import as_json, check_table, curves_table, verdicts
from recommender.operators.learning_trial import LearningResult, LearningTrial, run_trial
from recommender.operators.peers import PeersMissingError, als, peer_factories

DIALS = (0.0, 0.5, 1.0)
ALS_FACTORS = 128
# Where nothing tells how wide the output may be, in a file or a pipe, no figure is cut off.
PLAIN_WIDTH = 140
# Options that say something of answers only.
OF_ANSWERS = ("like_from", "dislike_share")
# Options that say something of the learning loop only, and those that say nothing of it.
OF_LOOP = ("retrain_every", "sites", "established")
NOT_OF_LOOP = ("peers", "page_rules", "dislike_share")
MAX_ROUNDS = 1_000
"""Of ten songs each: more than any catalogue has to show to somebody, and days of work."""


class Command(BaseCommand):
    """``manage.py simulate --interactions FILE --catalogue FILE``, or ``--answers FILE``."""

    # Nothing here touches the site or its database.
    requires_system_checks: tuple[str, ...] = ()
    help = (
        "Simulate listening sessions on your own data. Each test listener gets 10 songs per round, likes those in "
        "their list and skips the others (--interactions), or likes, dislikes and skips as a model of all answers "
        "predicts (--answers). 20 % of the listeners are test listeners and not used for training. With --loop, sites "
        "of test listeners start with little, learn from every answer and are retrained. Needs no database."
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
            "rating. It can also have test (1 for a test listener), judged (1 if this answer isn't trained on) and "
            "known (1 if the listener had heard the song before).",
        )
        parser.add_argument(
            "--catalogue", type=Path, required=True, metavar="FILE", help="Any file that import_tracks can read."
        )
        parser.add_argument(
            "--start",
            type=_whole_number(0),
            metavar="N",
            help="Likes known at the start (default: 1; with --loop: 3).",
        )
        parser.add_argument(
            "--rounds",
            type=_whole_number(1, MAX_ROUNDS),
            metavar="N",
            help="Number of rounds (default: 10; with --loop: 20).",
        )
        parser.add_argument("--seed", type=_whole_number(0), default=0, help="Random seed (default: 0).")
        parser.add_argument("--listeners", type=_whole_number(1), metavar="N", help="Use at most N test listeners.")
        parser.add_argument(
            "--dials",
            type=_share,
            nargs="*",
            default=DIALS,
            metavar="D",
            help="Adventurousness of the policy explore@D (0 to 1).",
        )
        parser.add_argument(
            "--like-from", type=_number, metavar="R", help="With --answers, ratings of R and above are likes."
        )
        parser.add_argument(
            "--dislike-share",
            type=_share,
            metavar="S",
            help="With --answers, how many of the songs not liked are disliked rather than skipped "
            f"(0 to 1, default: {DISLIKE_SHARE:g}).",
        )
        parser.add_argument(
            "--page-rules", action="store_true", help="Apply the songs-per-artist limit to every policy."
        )
        parser.add_argument(
            "--peers",
            action="store_true",
            help="Also run ALS from `implicit`, updated every round (needs the extra `bench`).",
        )
        _add_loop_arguments(parser)
        parser.add_argument("--json", type=Path, metavar="FILE", help="Write the results to FILE as JSON.")
        parser.add_argument(
            "--jobs", type=_whole_number(1), metavar="N", help="Number of worker processes (default: all cores)."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        _check_options(options)
        options |= _defaults(options)
        console = Console(file=cast(IO[str], self.stdout), highlight=False, soft_wrap=True)
        if not console.is_terminal:
            console = Console(file=cast(IO[str], self.stdout), highlight=False, soft_wrap=True, width=PLAIN_WIDTH)
        path = options["json"]
        if path and not (path.parent.is_dir() and os.access(path.parent, os.W_OK)):
            # Before the work of minutes, not after it.
            raise CommandError(f"{path}: can't write there")
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        try:
            with (
                ProgressBar(*columns, console=console, transient=True)
                if console.is_terminal
                else nullcontext() as shown
            ):
                task = shown.add_task("read", total=1.0) if shown else None

                def report_progress(step: str, share: float) -> None:
                    if shown and task is not None:
                        shown.update(task, description=step, completed=share)

                if options["loop"]:
                    result = run_trial(_trial(options), options["jobs"] or os.cpu_count() or 1, report_progress)
                else:
                    rows = _simulate(options, report_progress)
        except (InputError, InvalidDataError, PeersMissingError) as error:
            raise CommandError(str(error)) from error
        if options["loop"]:
            _print_loop(console, result, options)
            return
        if not rows:
            raise CommandError(_nobody(options))
        console.print(_table(rows, options))
        if path:
            write_report(path, {"rows": [_as_json(row, options["answers"] is not None) for row in rows]})


def _add_loop_arguments(parser: CommandParser) -> None:
    parser.add_argument(
        "--loop",
        action="store_true",
        help="Play the learning loop: all listeners of a site are shown a page in each round, and the model is "
        "retrained on their answers.",
    )
    parser.add_argument(
        "--retrain-every",
        type=_whole_number(1),
        metavar="N",
        help=f"With --loop, rounds between retrainings (default: {LoopPlan().retrain_every}).",
    )
    parser.add_argument(
        "--sites",
        type=_whole_number(1),
        metavar="N",
        help=f"With --loop, number of sites the listeners are divided among (default: {SitePlan().sites}).",
    )
    parser.add_argument(
        "--established",
        action="store_true",
        default=None,
        help="With --loop, the sites start with the answers of the training listeners rather than with nothing.",
    )


def _defaults(options: Mapping[str, Any]) -> dict[str, int]:
    """Return the options that have other defaults with the learning loop."""
    start, rounds = (SitePlan().start, LoopPlan().rounds) if options["loop"] else (Plan().start, Plan().rounds)
    return {
        "start": start if options["start"] is None else options["start"],
        "rounds": options["rounds"] or rounds,
    }


def _check_options(options: Mapping[str, Any]) -> None:
    for name in OF_ANSWERS:
        if options["interactions"] and options[name] is not None:
            raise CommandError(f"--{name.replace('_', '-')} can't be used with --interactions")
    for name in NOT_OF_LOOP if options["loop"] else OF_LOOP:
        if options[name] not in (None, False):
            use = "can't be used with" if options["loop"] else "can only be used with"
            raise CommandError(f"--{name.replace('_', '-')} {use} --loop")


def _trial(options: Mapping[str, Any]) -> LearningTrial:
    default = User._meta.get_field("adventure").get_default()
    return LearningTrial(
        catalogue=options["catalogue"],
        plan=LoopPlan(
            rounds=options["rounds"],
            retrain_every=options["retrain_every"] or LoopPlan().retrain_every,
            seed=options["seed"],
        ),
        sites=SitePlan(
            start=options["start"],
            sites=options["sites"] or SitePlan().sites,
            listeners=options["listeners"],
            is_established=bool(options["established"]),
        ),
        dials=tuple(sorted({default, *options["dials"]} - {0.0})),
        interactions=options["interactions"],
        answers=options["answers"],
        like_from=options["like_from"],
    )


def _print_loop(console: Console, result: LearningResult, options: Mapping[str, Any]) -> None:
    every = options["retrain_every"] or LoopPlan().retrain_every
    title = f"{result.listeners:,} listeners on {result.sites} sites, retrained every {every} pages of 10 songs"
    start = "what training listeners answered and " if options["established"] else ""
    caption = f"95 % intervals over listeners; sites start with {start}{options['start']} likes of each listener"
    if result.check:
        console.print(check_table(result.check))
    console.print(curves_table(result.curves, title, caption))
    for sentence in verdicts(result.curves, GREEDY):
        console.print(sentence)
    if options["json"]:
        write_report(options["json"], as_json(result.curves, result.check))


def _nobody(options: Mapping[str, Any]) -> str:
    if options["answers"]:
        return f"{options['answers']}: no test listener has liked {options['start']} songs"
    return f"{options['interactions']}: no test listener has more than {options['start']} songs"


class _Trial(NamedTuple):
    """Who plays, and what the policies know: songs, and what the training listeners did."""

    catalogue: Catalogue
    training: Interactions
    listeners: list[SimulatedListener]


def _simulate(options: Mapping[str, Any], report_progress: Progress) -> list[SimulationRow]:
    if options["peers"]:
        peer_factories()  # says at once, and not after the fit, that they are missing
    report_progress("read", 0.0)
    seed = options["seed"]
    split_rng, fit_rng, peer_rng, listener_rng = np.random.default_rng(seed).spawn(4)
    plan = Plan(options["start"], options["rounds"], listeners=options["listeners"], seed=seed)
    trial = (
        _of_answers(options, plan, split_rng, listener_rng)
        if options["answers"]
        else _of_lists(options, plan, split_rng)
    )
    catalogue, training, listeners = trial
    model = fit_model(catalogue, training, EngineConfig(), fit_rng, report_progress)
    if not options["page_rules"]:
        model = without_page_rules(model)
    policies = dict(model_policies(model, options["dials"], User._meta.get_field("adventure").get_default()))
    if options["peers"]:
        report_progress("fit als", 0.0)
        fitted = als(catalogue, training, peer_rng, factors=ALS_FACTORS)
        policies["als"] = FromScorer(fitted, popularity(model))
    jobs = options["jobs"] or os.cpu_count() or 1
    share = listener_share(training, catalogue.n_tracks)
    # implicit solves with threads of its own, which do not survive a fork.
    return simulate(policies, listeners, share, plan, jobs=jobs, alone=("als",), progress=report_progress)


def _of_lists(options: Mapping[str, Any], plan: Plan, rng: np.random.Generator) -> _Trial:
    inputs = read_inputs(options["interactions"], options["catalogue"])
    split = split_listeners(inputs.interactions, rng)
    return _Trial(inputs.catalogue, split.training, listed(split, plan))


def _of_answers(
    options: Mapping[str, Any], plan: Plan, split_rng: np.random.Generator, rng: np.random.Generator
) -> _Trial:
    inputs = read_answers(options["answers"], options["catalogue"], options["like_from"])
    answered, catalogue = inputs.answered, inputs.catalogue
    (is_test,) = people_by_fit(answered, split_rng, folds=None)
    share = DISLIKE_SHARE if options["dislike_share"] is None else options["dislike_share"]
    listeners = rating_listeners(answered, is_test, catalogue.n_tracks, plan, share, rng)
    return _Trial(catalogue, interactions_of(answered, ~is_test), listeners)


def _table(rows: list[SimulationRow], options: Mapping[str, Any]) -> Table:
    songs = options["rounds"] * Plan().songs
    rules = "with" if options["page_rules"] else "without"
    table = Table(
        title=f"{rows[0].listeners:,} test listeners, {songs} songs shown to each, starting from {options['start']}",
        caption=f"95 % intervals over listeners; {rules} the songs-per-artist rule; {_basis(options)}",
    )
    table.add_column("policy")
    columns = ["likes", "first round", "last round", "catalogue shown", "novelty, bits", "explored", "liked of it"]
    for column in (*columns, "dislikes") if options["answers"] else columns:
        table.add_column(column, justify="right")
    for row in rows:
        disliked = [f"{row.dislikes_total.mean:.2f}"] if options["answers"] else []
        table.add_row(row.policy, *_cells(row), *disliked)
    return table


def _basis(options: Mapping[str, Any]) -> str:
    if options["answers"]:
        return "songs a listener has not answered are liked with the chance that a model of all answers gives them"
    return "what is not in a list counts as not liked, so true like rates are higher"


def _cells(row: SimulationRow) -> list[str]:
    total = row.likes_total
    return [
        f"{total.mean:.2f} ({total.low:.2f}-{total.high:.2f})",
        f"{row.likes_per_round[0]:.2f}",
        f"{row.likes_per_round[-1]:.2f}",
        f"{row.songs_shown_share:.1%}",
        f"{row.novelty:.2f}",
        f"{row.explored_share:.1%}",
        "" if row.explored_like_rate is None else f"{row.explored_like_rate:.1%}",
    ]


def _as_json(row: SimulationRow, with_dislikes: bool) -> dict[str, Any]:
    figures = asdict(row) | flat("likes_total", row.likes_total)
    # By a list nobody dislikes anything.
    del figures["dislikes_total"]
    return figures | flat("dislikes_total", row.dislikes_total) if with_dislikes else figures


class _whole_number:  # noqa: N801 - reads as a function where it is used
    """Argument type: a whole number that is not below ``low`` and not above ``high``."""

    def __init__(self, low: int, high: int | None = None) -> None:
        self.low, self.high = low, high

    def __call__(self, text: str) -> int:
        if not text.isascii() or not text.isdigit() or not self.low <= int(text) <= (self.high or int(text)):
            allowed = f"{self.low} or more" if self.high is None else f"{self.low} to {self.high:,}"
            raise ArgumentTypeError(f"{text!r} must be a whole number, {allowed}")
        return int(text)


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise ArgumentTypeError(f"{text!r} must be between 0 and 1")
    return value


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ArgumentTypeError(f"{text!r} must be a number")
    return number
