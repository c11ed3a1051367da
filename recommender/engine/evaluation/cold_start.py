"""Quality of the rankings of songs that nobody has played yet.

Protocol: as in `protocol`, but a fifth of the tracks is cold: no training listener has any of them, and of a test
listener only other tracks are observed. The listener's cold tracks must be found among the cold tracks only, because
popular songs would otherwise come first however well the new ones are ranked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from recommender.engine.config import EngineConfig
from recommender.engine.data import Catalogue, Interactions
from recommender.engine.data.arrays import BoolArray
from recommender.engine.evaluation.protocol import Measured, measure
from recommender.engine.evaluation.scorers import ScorerFactory, fit_scorers
from recommender.engine.evaluation.split import EvaluationQuery, Reveal, Split, split_listeners
from recommender.engine.terms import Progress, no_progress

COLD_SHARE = 0.2


def cold_tracks(catalogue: Catalogue, rng: np.random.Generator, share: float = COLD_SHARE) -> BoolArray:
    """Return a random share of the active tracks: bool[n]."""
    cold = np.zeros(catalogue.n_tracks, dtype=np.bool_)
    active = rng.permutation(np.flatnonzero(catalogue.active))
    cold[active[: round(len(active) * share)]] = True
    return cold


def without_tracks(interactions: Interactions, left_out: BoolArray) -> Interactions:
    """Return the interactions without the flagged tracks (bool[n]); listeners without any other stay."""
    remaining = ~left_out[interactions.row]
    return Interactions(
        interactions.listener[remaining],
        interactions.row[remaining],
        interactions.weight[remaining],
        interactions.region,
    )


def cold_queries(split: Split, cold: BoolArray, reveal: Reveal) -> list[EvaluationQuery]:
    """Return the queries at one amount: of the warm tracks some are observed, all cold ones are held out."""
    queries = []
    for rows in split.test:
        warm, wanted = rows[~cold[rows]], rows[cold[rows]]
        count = reveal.count(len(warm))
        if 0 < count <= len(warm) and len(wanted):
            queries.append(EvaluationQuery(warm[:count], wanted))
    return queries


def compare_cold(
    catalogue: Catalogue,
    interactions: Interactions,
    config: EngineConfig,
    reveals: Sequence[str],
    seed: int = 0,
    others: Mapping[str, ScorerFactory] | None = None,
    progress: Progress = no_progress,
) -> list[Measured]:
    """Measure every scorer on the cold tracks; the same seed gives the same figures.

    Amounts for which no listener has enough tracks are left out. Raise InvalidDataError for a bad `reveals` or inputs
    that do not match.
    """
    amounts = [Reveal(label) for label in reveals]
    split_rng, fit_rng, other_rng, judge_rng, cold_rng = np.random.default_rng(seed).spawn(5)
    split = split_listeners(interactions, split_rng)
    cold = cold_tracks(catalogue, cold_rng)
    training = without_tracks(split.training, cold)
    scorers = fit_scorers(catalogue, training, config, fit_rng, other_rng, others or {}, progress, cold)
    queries_by_label = {reveal.label: cold_queries(split, cold, reveal) for reveal in amounts}
    return measure(scorers, catalogue, training, queries_by_label, judge_rng, progress, cold)
