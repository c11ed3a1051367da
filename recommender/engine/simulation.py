"""How many songs a recommender finds for listeners it has never seen, while it learns from their clicks.

Protocol: a fifth of the listeners are test listeners, never trained on. Each starts from some songs of their list (one,
or none), is shown a page of songs they have not been shown yet, likes what is in their list and skips the rest, and so
on for some rounds. A skip is fed back as a skip. What is not in the list counts as not liked although the listener may
only never have met it: every figure is a lower bound, for all policies alike.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recommender.engine.arrays import BoolArray, IntArray
from recommender.engine.data import Feedback, FeedbackKind
from recommender.engine.errors import InvalidDataError
from recommender.engine.evaluation import Split, listener_share
from recommender.engine.metrics import Interval, bootstrap_interval, novelty_at_k
from recommender.engine.terms import Progress, no_progress

CHUNK = 20
"""Listeners that one worker process plays at a time."""


@dataclass(frozen=True, eq=False)
class Session:
    """What a listener has done so far. start, liked (start included), skipped: int32 rows in order."""

    start: IntArray
    liked: IntArray
    skipped: IntArray

    @property
    def seen(self) -> IntArray:
        """Rows that must not be shown again."""
        return np.concatenate([self.liked, self.skipped])

    @property
    def feedback(self) -> Feedback:
        """Likes and skips as the engine is told of them."""
        rows = self.seen
        kind = np.full(len(rows), FeedbackKind.SKIP, dtype=np.int32)
        kind[: len(self.liked)] = FeedbackKind.LIKE
        return Feedback(rows, kind, np.ones(len(rows), np.float32), np.zeros(len(rows), np.float32))

    def after(self, page: IntArray, is_liked: BoolArray) -> Session:
        """The session once the listener has reacted to a page."""
        liked = np.concatenate([self.liked, page[is_liked]])
        return Session(self.start, liked, np.concatenate([self.skipped, page[~is_liked]]))


@dataclass(frozen=True, eq=False)
class Shown:
    """A page: rows int32[<= k], best first, and which of them only exploring has put there, bool, same length."""

    rows: IntArray
    explored: BoolArray

    @classmethod
    def plain(cls, rows: IntArray) -> Shown:
        """A page of which nothing was explored."""
        return cls(rows, np.zeros(len(rows), dtype=np.bool_))


class Policy(Protocol):
    """Decides what a listener sees next: a page of `k` rows, none of them in `session.seen`."""

    def __call__(self, session: Session, k: int, rng: np.random.Generator) -> Shown: ...


@dataclass(frozen=True)
class Plan:
    """What is played. Raises InvalidDataError.

    start: songs of the list known at first; songs: on a page; listeners: how many play at most; seed: of all draws.
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
    """How one policy did: means over `listeners` test listeners, with bootstrap intervals.

    likes_total: likes per listener in all rounds; likes_per_round: in each. songs_shown_share: share of the catalogue
    that anybody was shown; novelty: mean -log2 of the share of training listeners who know a song shown, in bits.
    explored_share: share of the songs shown that only exploring put on a page; explored_like_rate: likes per such song
    (None if there were none); like_rate: likes per song shown.
    """

    policy: str
    listeners: int
    likes_total: Interval
    likes_per_round: tuple[float, ...]
    songs_shown_share: float
    novelty: float
    like_rate: float
    explored_share: float
    explored_like_rate: float | None


@dataclass(frozen=True, eq=False)
class _Played:
    """One session: likes int64[rounds], rows shown int32[s], liked and explored bool[s]."""

    likes: NDArray[np.int64]
    shown: IntArray
    liked: BoolArray = field(repr=False)
    explored: BoolArray = field(repr=False)


def eligible(split: Split, plan: Plan) -> list[IntArray]:
    """Lists of the test listeners who have something left to be found, the first `plan.listeners` of them."""
    return [rows for rows in split.test if len(rows) > plan.start][: plan.listeners]


def simulate(
    policies: Mapping[str, Policy],
    split: Split,
    n_tracks: int,
    plan: Plan,
    *,
    jobs: int = 1,
    alone: Sequence[str] = (),
    progress: Progress = no_progress,
) -> list[SimulationRow]:
    """Let every policy play every test listener; one row per policy, none if no listener has a list long enough.

    Test lists come in random order, so the first songs are a random start. Each listener has a random stream of their
    own, the same for every policy and whatever `jobs` (worker processes, where the system can fork) is; policies named
    in `alone` stay in this process. A policy under two names plays once. `progress(policy, share)` is called as
    listeners are done.
    """
    lists = eligible(split, plan)
    if not lists:
        return []
    share = listener_share(split.training, n_tracks)
    rows: dict[int, SimulationRow] = {}
    for done, (name, policy) in enumerate(policies.items()):
        if id(policy) in rows:
            continue

        def say(part: float, name: str = name, done: int = done) -> None:
            progress(name, (done + part) / len(policies))

        played = _play_all(policy, lists, plan, 1 if name in alone else jobs, say)
        rows[id(policy)] = _row(name, played, share, np.random.default_rng(plan.seed))
    progress("done", 1.0)
    return [replace(rows[id(policy)], policy=name) for name, policy in policies.items()]


def play(policy: Policy, wanted: IntArray, plan: Plan, rng: np.random.Generator) -> _Played:
    """One listener's session; `wanted` is their list, whose first `plan.start` songs are known from the start.

    Raises ValueError if the policy shows a song twice.
    """
    start = wanted[: plan.start]
    session = Session(start, start, np.empty(0, dtype=np.int32))
    likes = np.zeros(plan.rounds, dtype=np.int64)
    pages = []
    for number in range(plan.rounds):
        page = policy(session, plan.songs, rng)
        if len(np.unique(np.concatenate([page.rows, session.seen]))) < len(page.rows) + len(session.seen):
            raise ValueError("a policy showed a song twice")
        is_liked = np.isin(page.rows, wanted)
        likes[number] = is_liked.sum()
        pages.append((page, is_liked))
        session = session.after(page.rows, is_liked)
    return _Played(
        likes=likes,
        shown=np.concatenate([page.rows for page, _ in pages]),
        liked=np.concatenate([is_liked for _, is_liked in pages]),
        explored=np.concatenate([page.explored for page, _ in pages]),
    )


def _play_all(
    policy: Policy, lists: list[IntArray], plan: Plan, jobs: int, say: Callable[[float], None]
) -> list[_Played]:
    chunks = [range(low, min(low + CHUNK, len(lists))) for low in range(0, len(lists), CHUNK)]
    played: list[_Played] = []
    work = _Work(policy, lists, plan)
    if jobs > 1 and len(chunks) > 1 and "fork" in multiprocessing.get_all_start_methods():
        # Forked workers share the model's memory, and the policy need not be sent to them.
        context = multiprocessing.get_context("fork")
        with ProcessPoolExecutor(jobs, context, initializer=_take_up, initargs=(work,)) as pool:
            for part in pool.map(_play_chunk, chunks):
                played += part
                say(len(played) / len(lists))
        return played
    for chunk in chunks:
        played += work.play(chunk)
        say(len(played) / len(lists))
    return played


@dataclass(frozen=True, eq=False)
class _Work:
    policy: Policy
    lists: list[IntArray]
    plan: Plan

    def play(self, chunk: range) -> list[_Played]:
        streams = [np.random.default_rng([self.plan.seed, number]) for number in chunk]
        return [
            play(self.policy, self.lists[number], self.plan, rng) for number, rng in zip(chunk, streams, strict=True)
        ]


_taken_up: list[_Work] = []
"""In a worker process: what it works on."""


def _take_up(work: _Work) -> None:
    _taken_up[:] = [work]


def _play_chunk(chunk: range) -> list[_Played]:
    return _taken_up[0].play(chunk)


def _row(name: str, played: list[_Played], share: NDArray[np.float64], rng: np.random.Generator) -> SimulationRow:
    likes = np.stack([one.likes for one in played])
    shown = np.concatenate([one.shown for one in played])
    liked = np.concatenate([one.liked for one in played])
    explored = np.concatenate([one.explored for one in played])
    return SimulationRow(
        policy=name,
        listeners=len(played),
        likes_total=bootstrap_interval(likes.sum(axis=1).astype(np.float64), rng),
        likes_per_round=tuple(float(mean) for mean in likes.mean(axis=0)),
        songs_shown_share=len(np.unique(shown)) / len(share),
        novelty=novelty_at_k(shown, share, len(shown)),
        like_rate=float(liked.mean()) if len(liked) else 0.0,
        explored_share=float(explored.mean()) if len(explored) else 0.0,
        explored_like_rate=float(liked[explored].mean()) if explored.any() else None,
    )
