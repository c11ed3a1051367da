"""Simulation of sessions: how many songs a recommender finds for unseen listeners while it learns from their clicks.

Protocol: a fifth of the listeners are test listeners, never trained on. Each starts from some songs they like (one, or
none), is shown a page of songs that are new to them, reacts to it, and so on for some rounds. A skip is fed back as a
skip, a dislike as a dislike.

Listeners with a list (`listed`) like the songs in it and skip the rest. A song outside the list counts as not liked,
although the listener may simply never have met it, so every figure is a lower bound, for all policies alike. Listeners
who have rated songs react by a model of all ratings (`rated_listeners`).
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from recommender.engine.data import Feedback, FeedbackKind
from recommender.engine.data.arrays import BoolArray, IntArray
from recommender.engine.errors import InvalidDataError
from recommender.engine.evaluation.metrics import Interval, bootstrap_interval, novelty_at_k
from recommender.engine.evaluation.split import Split
from recommender.engine.terms import Progress, no_progress

CHUNK = 20
"""Listeners that one worker process plays at a time."""


@dataclass(frozen=True, eq=False)
class Session:
    """What a listener has done so far. start, liked (start included), skipped, disliked: int32 rows in order."""

    start: IntArray
    liked: IntArray
    skipped: IntArray
    disliked: IntArray

    @property
    def seen(self) -> IntArray:
        """Return the rows that must not be shown again."""
        return np.concatenate([self.liked, self.skipped, self.disliked])

    @property
    def feedback(self) -> Feedback:
        """Return the likes, skips and dislikes as the engine reads them."""
        rows = self.seen
        kind = np.full(len(rows), FeedbackKind.SKIP, dtype=np.int32)
        kind[: len(self.liked)] = FeedbackKind.LIKE
        kind[len(self.liked) + len(self.skipped) :] = FeedbackKind.DISLIKE
        return Feedback(rows, kind, np.ones(len(rows), np.float32), np.zeros(len(rows), np.float32))

    @classmethod
    def beginning(cls, start: IntArray) -> Session:
        """Return the session of a listener who likes the songs of `start` and has not been shown any."""
        none = np.empty(0, dtype=np.int32)
        return cls(start, start, none, none)

    def after(self, page: IntArray, reaction: Reaction) -> Session:
        """Return the session after the listener has reacted to a page."""
        liked, disliked = reaction.liked, reaction.disliked
        return Session(
            start=self.start,
            liked=np.concatenate([self.liked, page[liked]]),
            skipped=np.concatenate([self.skipped, page[~liked & ~disliked]]),
            disliked=np.concatenate([self.disliked, page[disliked]]),
        )


class Reaction(NamedTuple):
    """What a listener does with the songs of a page, bool[k] each; those neither liked nor disliked are skipped."""

    liked: BoolArray
    disliked: BoolArray


@dataclass(frozen=True, eq=False)
class SimulatedListener:
    """A test listener. start: int32 rows of liked songs known at first; react: from a page (int32[k]) to the reaction.

    The same song gets the same reaction from every policy, at any time.
    """

    start: IntArray
    react: Callable[[IntArray], Reaction]


@dataclass(frozen=True, eq=False)
class SimulatedPage:
    """A page: rows int32[<= k], best first, and which of them are there only because of exploration, bool[<= k]."""

    rows: IntArray
    explored: BoolArray

    @classmethod
    def plain(cls, rows: IntArray) -> SimulatedPage:
        """Return a page without exploration."""
        return cls(rows, np.zeros(len(rows), dtype=np.bool_))


class Policy(Protocol):
    """Decides what a listener sees next: a page of `k` rows, none of them in `session.seen`."""

    def __call__(self, session: Session, k: int, rng: np.random.Generator) -> SimulatedPage: ...


@dataclass(frozen=True)
class Plan:
    """The extent of a simulation. Raise InvalidDataError.

    start: liked songs known at first; rounds: pages per listener; songs: per page; listeners: limit of their number;
    seed: of all draws.
    """

    start: int = 1
    rounds: int = 10
    songs: int = 10
    listeners: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name, low in (("start", 0), ("rounds", 1), ("songs", 1), ("listeners", 1), ("seed", 0)):
            value = getattr(self, name)
            if value is not None and value < low:
                raise InvalidDataError(f"{name}: must be at least {low}, is {value}")


@dataclass(frozen=True)
class SimulationRow:
    """Results of one policy: means over `listeners` test listeners, with bootstrap intervals.

    likes_total: likes per listener in all rounds; likes_per_round: in each; dislikes_total: as likes_total.
    songs_shown_share: share of the catalogue that was shown to anybody; novelty: mean -log2 of the share of training
    listeners who know a song shown, in bits. explored_share: share of the songs shown that were there only because of
    exploration; explored_like_rate: likes per such song (None if there were none); like_rate: likes per song shown.
    """

    policy: str
    listeners: int
    likes_total: Interval
    likes_per_round: tuple[float, ...]
    dislikes_total: Interval
    songs_shown_share: float
    novelty: float
    like_rate: float
    explored_share: float
    explored_like_rate: float | None


@dataclass(frozen=True, eq=False)
class _Played:
    """One session: likes int64[rounds], rows shown int32[s]; liked, disliked and explored bool[s]."""

    likes: NDArray[np.int64]
    shown: IntArray
    liked: BoolArray = field(repr=False)
    disliked: BoolArray = field(repr=False)
    explored: BoolArray = field(repr=False)


def listed(split: Split, plan: Plan) -> list[SimulatedListener]:
    """Return the first `plan.listeners` test listeners with something left to be found.

    Test lists come in random order, so the first `plan.start` songs are a random start.
    """
    wanted = [rows for rows in split.test if len(rows) > plan.start][: plan.listeners]
    return [SimulatedListener(rows[: plan.start], partial(_by_list, rows)) for rows in wanted]


def _by_list(wanted: IntArray, page: IntArray) -> Reaction:
    """Like the `wanted` songs, skip the rest."""
    return Reaction(np.isin(page, wanted), np.zeros(len(page), dtype=np.bool_))


def simulate(
    policies: Mapping[str, Policy],
    listeners: Sequence[SimulatedListener],
    share: NDArray[np.float64],
    plan: Plan,
    *,
    jobs: int = 1,
    alone: Sequence[str] = (),
    progress: Progress = no_progress,
) -> list[SimulationRow]:
    """Play a session of every listener with every policy. Return one row per policy, none if there are no listeners.

    share: of the training listeners who have each track, float64[n]; see `listener_share`. jobs: worker processes, if
    the system can fork; policies named in `alone` stay in this process. Each listener has a random stream of their own,
    the same for every policy and any number of jobs. A policy under two names plays once. `progress(policy, share)` is
    called after each batch of listeners.
    """
    if not listeners:
        return []
    rows: dict[int, SimulationRow] = {}
    for done, (name, policy) in enumerate(policies.items()):
        if id(policy) in rows:
            continue

        def report(part: float, name: str = name, done: int = done) -> None:
            progress(name, (done + part) / len(policies))

        played = _play_all(policy, listeners, plan, 1 if name in alone else jobs, report)
        rows[id(policy)] = _row(name, played, share, np.random.default_rng(plan.seed))
    progress("done", 1.0)
    return [replace(rows[id(policy)], policy=name) for name, policy in policies.items()]


def likes_by_round(
    policy: Policy, listeners: Sequence[SimulatedListener], plan: Plan, *, jobs: int = 1
) -> NDArray[np.int64]:
    """Return how many songs of each round's page each listener liked, int64[listeners, rounds]; `jobs` as there."""
    played = _play_all(policy, listeners, plan, jobs, lambda _share: None)
    return np.array([run.likes for run in played], dtype=np.int64).reshape(len(played), plan.rounds)


def play(policy: Policy, listener: SimulatedListener, plan: Plan, rng: np.random.Generator) -> _Played:
    """Return one listener's session. Raise ValueError if the policy shows a song twice."""
    session = Session.beginning(listener.start)
    pages, reactions = [], []
    for _round in range(plan.rounds):
        page = policy(session, plan.songs, rng)
        if len(np.unique(np.concatenate([page.rows, session.seen]))) < len(page.rows) + len(session.seen):
            raise ValueError("a policy showed a song twice")
        reaction = listener.react(page.rows)
        pages.append(page)
        reactions.append(reaction)
        session = session.after(page.rows, reaction)
    return _Played(
        likes=np.array([reaction.liked.sum() for reaction in reactions], dtype=np.int64),
        shown=np.concatenate([page.rows for page in pages]),
        liked=np.concatenate([reaction.liked for reaction in reactions]),
        disliked=np.concatenate([reaction.disliked for reaction in reactions]),
        explored=np.concatenate([page.explored for page in pages]),
    )


def _play_all(
    policy: Policy, listeners: Sequence[SimulatedListener], plan: Plan, jobs: int, report: Callable[[float], None]
) -> list[_Played]:
    chunks = [range(low, min(low + CHUNK, len(listeners))) for low in range(0, len(listeners), CHUNK)]
    played: list[_Played] = []
    work = _Work(policy, listeners, plan)
    if jobs > 1 and len(chunks) > 1 and "fork" in multiprocessing.get_all_start_methods():
        # Forked workers share the model's memory, and the policy need not be sent to them.
        context = multiprocessing.get_context("fork")
        with ProcessPoolExecutor(jobs, context, initializer=_start_worker, initargs=(work,)) as pool:
            for part in pool.map(_play_chunk, chunks):
                played += part
                report(len(played) / len(listeners))
        return played
    for chunk in chunks:
        played += work.play(chunk)
        report(len(played) / len(listeners))
    return played


@dataclass(frozen=True, eq=False)
class _Work:
    policy: Policy
    listeners: Sequence[SimulatedListener]
    plan: Plan

    def play(self, chunk: range) -> list[_Played]:
        streams = [np.random.default_rng([self.plan.seed, number]) for number in chunk]
        return [
            play(self.policy, self.listeners[number], self.plan, rng)
            for number, rng in zip(chunk, streams, strict=True)
        ]


_work_of_process: list[_Work] = []
"""The work of this process, if it is a worker."""


def _start_worker(work: _Work) -> None:
    _work_of_process[:] = [work]


def _play_chunk(chunk: range) -> list[_Played]:
    return _work_of_process[0].play(chunk)


def _row(name: str, played: list[_Played], share: NDArray[np.float64], rng: np.random.Generator) -> SimulationRow:
    likes = np.stack([run.likes for run in played])
    shown = np.concatenate([run.shown for run in played])
    liked = np.concatenate([run.liked for run in played])
    explored = np.concatenate([run.explored for run in played])
    disliked = np.array([run.disliked.sum() for run in played], dtype=np.float64)
    return SimulationRow(
        policy=name,
        listeners=len(played),
        likes_total=bootstrap_interval(likes.sum(axis=1).astype(np.float64), rng),
        likes_per_round=tuple(float(mean) for mean in likes.mean(axis=0)),
        dislikes_total=bootstrap_interval(disliked, rng),
        songs_shown_share=len(np.unique(shown)) / len(share),
        novelty=novelty_at_k(shown, share, len(shown)),
        like_rate=float(liked.mean()) if len(liked) else 0.0,
        explored_share=float(explored.mean()) if len(explored) else 0.0,
        explored_like_rate=float(liked[explored].mean()) if explored.any() else None,
    )
