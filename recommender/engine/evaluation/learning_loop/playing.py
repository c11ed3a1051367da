"""The learning loop: sites that begin with little, learn from what their listeners answer, and are retrained.

Where `simulation` plays one listener after the other with a model that was fitted once, here all listeners of a site
are shown a page in every round, and after some rounds the model is fitted anew on all that was answered so far. What
one listener is shown thus teaches what another is shown later, and a song that nobody was shown stays unknown: this is
where exploring can earn back what it costs.

Simplifications: every listener answers every song of every page, at once; nobody comes or leaves; days do not pass.

Regret is the expected likes of the best page less those of the page shown, added up over the rounds (pseudo-regret:
Bubeck & Cesa-Bianchi 2012, "Regret analysis of stochastic and nonstochastic multi-armed bandit problems"). The best
achievable shows each listener the songs in the order of the chance that they truly like them.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recommender.engine.data import NO_REGION, Interactions
from recommender.engine.data.arrays import IntArray
from recommender.engine.data.profile import FeedbackConfig
from recommender.engine.errors import InvalidDataError
from recommender.engine.evaluation.learning_loop.answer_model import AnsweringListener
from recommender.engine.evaluation.simulation import Policy, Reaction, Session
from recommender.engine.terms import Progress, no_progress

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class LoopPlan:
    """The extent of a loop. Raise InvalidDataError.

    rounds: pages per listener; songs: per page; retrain_every: rounds between two fits; seed: of all draws.
    """

    rounds: int = 20
    songs: int = 10
    retrain_every: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        for name, low in (("rounds", 1), ("songs", 1), ("retrain_every", 1), ("seed", 0)):
            value = getattr(self, name)
            if value < low:
                raise InvalidDataError(f"{name}: must be at least {low}, is {value}")


@dataclass(frozen=True, eq=False)
class LoopListener:
    """A listener of a site. start: int32 rows of liked songs known to the site at first."""

    start: IntArray
    answers: AnsweringListener

    def react(self, page: IntArray) -> Reaction:
        """Return the reaction to a page of rows."""
        return Reaction(self.answers.liked[page], self.answers.disliked[page])


@dataclass(frozen=True, eq=False)
class Site:
    """Listeners who share a recommender. before: what others did there before; n_tracks: songs of the catalogue."""

    listeners: Sequence[LoopListener]
    before: Interactions
    n_tracks: int


class LearningPolicy(Protocol):
    """Makes the policy of the next rounds from what was answered so far."""

    def retrained(self, log: Interactions, rng: np.random.Generator) -> Policy:
        """Return the policy that has learned from `log`; rng: the same for all at one round of one site."""
        ...


@dataclass(frozen=True, eq=False)
class LoopRecord:
    """What one policy earned on one site: u listeners, r rounds, k songs a page.

    likes, new_likes, dislikes: float64[u, r], new_likes of songs that the listener did not know; regret: float64[u, r]
    of each round; songs_shown: float64[r], share of the catalogue that was shown to anybody up to that round.
    """

    likes: Doubles
    new_likes: Doubles
    dislikes: Doubles
    regret: Doubles
    songs_shown: Doubles


def play_loop(
    policies: Mapping[str, LearningPolicy],
    sites: Sequence[Site],
    plan: LoopPlan,
    *,
    jobs: int = 1,
    progress: Progress = no_progress,
) -> dict[str, list[LoopRecord]]:
    """Play every policy on every site. Return a record of each site by policy. Raise ValueError on a repeat.

    jobs: worker processes, of which each plays a site, if the system can fork; the figures are the same for any number.
    """
    work = _Work(policies, sites, plan)
    if jobs > 1 and len(sites) > 1 and "fork" in multiprocessing.get_all_start_methods():
        # Forked workers share what was read, and the policies need not be sent to them.
        context = multiprocessing.get_context("fork")
        with ProcessPoolExecutor(min(jobs, len(sites)), context, initializer=_start_worker, initargs=(work,)) as pool:
            parts = []
            for part in pool.map(_play_in_worker, range(len(sites))):
                parts.append(part)
                progress("play", len(parts) / len(sites))
    else:
        parts = [work.play(number, progress) for number in range(len(sites))]
    progress("done", 1.0)
    return {name: [part[name] for part in parts] for name in policies}


@dataclass(frozen=True, eq=False)
class _Work:
    policies: Mapping[str, LearningPolicy]
    sites: Sequence[Site]
    plan: LoopPlan

    def play(self, number: int, progress: Progress) -> dict[str, LoopRecord]:
        """Return the record of each policy on one site."""
        site, plays = self.sites[number], len(self.sites) * len(self.policies)
        log = log_of(site, [Session.beginning(listener.start) for listener in site.listeners])
        progress("fit", number / len(self.sites))
        # One after the other with one log, so that they can share a model.
        first = {name: each.retrained(log, _fit_rng(self.plan, number, 0)) for name, each in self.policies.items()}
        records = {}
        for done, (name, policy) in enumerate(self.policies.items(), start=number * len(self.policies)):

            def report(part: float, name: str = name, done: int = done) -> None:
                progress(name, (done + part) / plays)

            records[name] = _play_site(policy, first[name], site, self.plan, number, report)
        return records


_work_of_process: list[_Work] = []
"""The work of this process, if it is a worker."""


def _start_worker(work: _Work) -> None:
    _work_of_process[:] = [work]


def _play_in_worker(number: int) -> dict[str, LoopRecord]:
    return _work_of_process[0].play(number, no_progress)


def _play_site(
    policy: LearningPolicy,
    serving: Policy,
    site: Site,
    plan: LoopPlan,
    number: int,
    report: Callable[[float], None],
) -> LoopRecord:
    """Play all rounds of one site; serving: the policy of the first rounds; number: of the site."""
    sessions = [Session.beginning(listener.start) for listener in site.listeners]
    streams = [np.random.default_rng([plan.seed, number, seat]) for seat in range(len(sessions))]
    pages: list[list[IntArray]] = []
    for turn in range(plan.rounds):
        if turn and turn % plan.retrain_every == 0:
            serving = policy.retrained(log_of(site, sessions), _fit_rng(plan, number, turn))
        pages.append([serving(session, plan.songs, rng).rows for session, rng in zip(sessions, streams, strict=True)])
        sessions = [_after(*each) for each in zip(site.listeners, sessions, pages[-1], strict=True)]
        report((turn + 1) / plan.rounds)
    return _record(site, pages, plan)


def _fit_rng(plan: LoopPlan, site: int, turn: int) -> np.random.Generator:
    """Return the stream of a fit, the same for all policies."""
    return np.random.default_rng([plan.seed, site, turn])


def _after(listener: LoopListener, session: Session, page: IntArray) -> Session:
    if len(np.union1d(page, session.seen)) < len(page) + len(session.seen):
        raise ValueError("a policy showed a song twice")
    return session.after(page, listener.react(page))


def log_of(site: Site, sessions: Sequence[Session], config: FeedbackConfig | None = None) -> Interactions:
    """Return what a fit reads: all that was there before, and the sessions, as a site weighs likes, dislikes, skips."""
    signal = (config or FeedbackConfig()).signal
    before, rows, weights, owners = site.before, [site.before.row], [site.before.weight], [site.before.listener]
    for number, session in enumerate(sessions):
        for kind, answered in (("like", session.liked), ("skip", session.skipped), ("dislike", session.disliked)):
            rows.append(answered)
            weights.append(np.full(len(answered), signal[kind], dtype=np.float32))
            owners.append(np.full(len(answered), before.n_listeners + number, dtype=np.int32))
    region = np.concatenate([before.region, np.full(len(sessions), NO_REGION, dtype=np.int32)])
    return Interactions(np.concatenate(owners), np.concatenate(rows), np.concatenate(weights), region)


def _record(site: Site, pages: Sequence[Sequence[IntArray]], plan: LoopPlan) -> LoopRecord:
    shape = len(site.listeners), plan.rounds
    likes, new_likes, dislikes, expected = (np.zeros(shape) for _figure in range(4))
    was_shown = np.zeros(site.n_tracks, dtype=np.bool_)
    songs_shown = np.zeros(plan.rounds)
    for turn, of_round in enumerate(pages):
        for seat, (listener, page) in enumerate(zip(site.listeners, of_round, strict=True)):
            answers = listener.answers
            likes[seat, turn] = answers.liked[page].sum()
            new_likes[seat, turn] = (answers.liked[page] & ~answers.known[page]).sum()
            dislikes[seat, turn] = answers.disliked[page].sum()
            expected[seat, turn] = answers.chance[page].sum()
            was_shown[page] = True
        songs_shown[turn] = was_shown.mean()
    best = np.stack([best_likes(listener, plan) for listener in site.listeners])
    return LoopRecord(likes, new_likes, dislikes, best - expected, songs_shown)


def best_likes(listener: LoopListener, plan: LoopPlan) -> Doubles:
    """Return the expected likes of each page, float64[rounds], if the songs came in the order of their chances."""
    left = np.delete(listener.answers.chance, listener.start)
    best = np.zeros(plan.rounds * plan.songs)
    ordered = np.sort(left)[::-1][: len(best)]
    best[: len(ordered)] = ordered
    return np.asarray(best.reshape(plan.rounds, plan.songs).sum(axis=1))
