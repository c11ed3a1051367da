"""How well songs that nobody has played yet are found.

Protocol: as in `evaluation`, but a fifth of the tracks is cold: no training listener has any of them, and of a test
listener only other tracks are revealed. What must be found are the listener's cold tracks, among the cold tracks only,
for otherwise the songs everybody knows would stand before them whatever is said of the new ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from recommender.engine.arrays import BoolArray
from recommender.engine.config import EngineConfig
from recommender.engine.data import Catalogue, Interactions
from recommender.engine.evaluation import (
    Measured,
    Query,
    Reveal,
    ScorerFactory,
    Split,
    fit_scorers,
    measure,
    split_listeners,
)
from recommender.engine.terms import Progress, no_progress

COLD_SHARE = 0.2


def cold_tracks(catalogue: Catalogue, rng: np.random.Generator, share: float = COLD_SHARE) -> BoolArray:
    """A random share of the active tracks: bool[n]."""
    cold = np.zeros(catalogue.n_tracks, dtype=np.bool_)
    active = rng.permutation(np.flatnonzero(catalogue.active))
    cold[active[: round(len(active) * share)]] = True
    return cold


def without_tracks(interactions: Interactions, left_out: BoolArray) -> Interactions:
    """The interactions with other tracks than those flagged (bool[n]); listeners stay, if with nothing."""
    kept = ~left_out[interactions.row]
    return Interactions(
        interactions.listener[kept], interactions.row[kept], interactions.weight[kept], interactions.region
    )


def cold_queries(split: Split, cold: BoolArray, reveal: Reveal) -> list[Query]:
    """What is asked at one amount: revealed are tracks that are not cold (a share is one of these), wanted all cold."""
    found = []
    for rows in split.test:
        warm, wanted = rows[~cold[rows]], rows[cold[rows]]
        count = reveal.count(len(warm))
        if 0 < count <= len(warm) and len(wanted):
            found.append(Query(warm[:count], wanted))
    return found


def compare_cold(
    catalogue: Catalogue,
    interactions: Interactions,
    config: EngineConfig,
    reveals: Sequence[str],
    seed: int = 0,
    others: Mapping[str, ScorerFactory] | None = None,
    progress: Progress = no_progress,
) -> list[Measured]:
    """Every scorer on the cold tracks, listener by listener; the same seed gives the same figures.

    Amounts for which no listener has enough tracks are left out. Raises InvalidDataError for a bad `reveals` or inputs
    that do not match.
    """
    amounts = [Reveal(label) for label in reveals]
    split_rng, fit_rng, other_rng, judge_rng, cold_rng = np.random.default_rng(seed).spawn(5)
    split = split_listeners(interactions, split_rng)
    cold = cold_tracks(catalogue, cold_rng)
    training = without_tracks(split.training, cold)
    scorers = fit_scorers(catalogue, training, config, fit_rng, other_rng, others or {}, progress, cold)
    questions = {reveal.label: cold_queries(split, cold, reveal) for reveal in amounts}
    return measure(scorers, catalogue, training, questions, judge_rng, progress, cold)
