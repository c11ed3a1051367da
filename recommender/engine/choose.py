"""From the scores of all songs to the page that is shown, and the probability with which it was.

Candidates are the best allowed songs, one version of each. Greedy: what the session has tired the listener of goes
down, variety and the page rules pick. Exploring: the same with a draw from the posterior added to the scores
(`explore`); the probability is estimated from further draws of the very same policy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recommender.engine.arrays import BoolArray, FloatArray, IntArray, csr_slice
from recommender.engine.config import ExploringConfig
from recommender.engine.data import Catalogue, Feedback, FeedbackKind
from recommender.engine.diversity import Rules, Variety, first_versions, pick_pages, similarities, unit_vectors
from recommender.engine.explore import Evidence, newly_found, propensities, rarity, score_draws, spread
from recommender.engine.listener import Listener
from recommender.engine.model import Model
from recommender.engine.page import pick_page
from recommender.engine.ranking.ranked import Ranked

PolicyName: TypeAlias = Literal["greedy", "thompson"]
ADJUSTMENTS = ("fatigue", "exploration", "variety")
"""What is added to the sum of the terms between score and page, by the names under which it is logged."""


@dataclass(frozen=True, eq=False)
class Choice:
    """k songs, best first: rows int32[k]; propensity float64[k]; explored bool[k]: not on the greedy page of the same
    candidates.

    adjustments: by name of ADJUSTMENTS, what was added to the score of each song, float32[k]. A name that is missing
    added nothing anywhere. The adjusted score never increases along the page as far
    as it comes from the candidates.
    """

    rows: IntArray
    explored: BoolArray
    propensity: NDArray[np.float64]
    adjustments: dict[str, FloatArray]
    policy: PolicyName


@dataclass(frozen=True, eq=False)
class Pool:
    """The candidates, one version of each: rows int32[c]; scores float32[c] with fatigue; fatigue float32[c] <= 0;
    spread of the scores; unit: float32[c, d], their vectors; evidence: gathered when it is first asked for.
    """

    rows: IntArray
    scores: FloatArray
    fatigue: FloatArray
    spread: float
    rules: Rules
    variety: Variety | None
    unit: FloatArray
    evidence: Callable[[], Evidence]


def choose(
    model: Model,
    ranked: Ranked,
    feedback: Feedback,
    listener: Listener,
    k: int,
    adventure: float,
    rng: np.random.Generator,
    pool: Pool | None = None,
) -> Choice:
    """The page of k songs; fewer if the rules leave no more. `pool`: that of `pool_of`, if it is there already.

    At adventure 0 nothing is drawn from `rng` and every propensity is 1. Otherwise the propensity of a song is its
    share of `ExploringConfig.draws` pages, the one shown being the first; songs from beyond the candidates, which only
    a catalogue of very few artists needs, count as certain.
    """
    pool = pool or pool_of(model, ranked, feedback, listener)
    greedy = pick_pages(pool.scores[None, :], k, pool.rules, pool.variety)[0]
    if adventure == 0.0 or not len(pool.rows):
        page, draw = greedy, np.zeros_like(pool.scores)
        probability = np.ones(len(pool.rows))
    else:
        draws = exploring_draws(pool, model.config.exploring, adventure, rng)
        pages = pick_pages(pool.scores + draws, k, pool.rules, pool.variety)
        page, draw, probability = pages[0], draws[0], propensities(pages, len(pool.rows))
    page = page[page >= 0]
    adjustments = {"fatigue": pool.fatigue[page], "exploration": draw[page], "variety": _held_back(pool, page)}
    choice = Choice(
        rows=pool.rows[page],
        explored=newly_found(page, greedy),
        propensity=probability[page],
        adjustments={name: values for name, values in adjustments.items() if values.any()},
        policy="thompson" if adventure else "greedy",
    )
    return choice if len(page) == k else _filled(choice, model, ranked, k)


def pool_of(model: Model, ranked: Ranked, feedback: Feedback, listener: Listener) -> Pool:
    """The candidates that a page is picked from."""
    catalogue, config = model.catalogue, model.config
    kept = first_versions(catalogue.recording, ranked.rows)
    rows, scores = ranked.rows[kept], ranked.scores[kept]
    # Neither a wider pool nor what answers add must change what the dial means.
    terms = ranked.scores - ranked.answers
    scale = spread(-np.sort(-terms)[: config.ranking.candidates])
    fatigue = np.float32(-config.fatigue * scale) * tired_of(catalogue, feedback, rows, config.fatigue_limit)
    unit = unit_vectors(model.embedding(rows))
    variety = Variety(unit, config.variety * scale) if config.variety else None
    rules = Rules.of(catalogue, rows, config.max_per_artist)
    evidence = cache(lambda: _evidence(model, listener, rows, unit))
    # What exploring adds must not fade where the answers set the scores further apart.
    wider = spread(scores) / max(spread(terms[kept]), 1e-9) if ranked.answers.any() else 1.0
    return Pool(rows, scores + fatigue, fatigue, scale * wider, rules, variety, unit, evidence)


def _evidence(model: Model, listener: Listener, rows: IntArray, unit: FloatArray) -> Evidence:
    return Evidence(
        vectors=unit,
        heard=listener.once(model.heard),
        weight=np.abs(listener.weights),
        rarity=rarity(model.attributes.listeners[rows], model.config.exploring.half_known),
    )


def tired_of(catalogue: Catalogue, feedback: Feedback, rows: IntArray, at_most: float) -> FloatArray:
    """How many songs of its most skipped artist the listener skipped lately, float32[len(rows)], at most `at_most`.

    Only artists of whom the session has nothing but skips count: one that was also liked, played to the end or chosen
    is no nuisance.
    """
    skipped = (feedback.kind == FeedbackKind.SKIP) & (feedback.age_days < 1.0)
    welcome = np.isin(feedback.kind, (FeedbackKind.LIKE, FeedbackKind.COMPLETED))
    skips = np.zeros(catalogue.n_artists, dtype=np.float32)
    np.add.at(skips, _credited(catalogue, np.unique(feedback.rows[skipped])), np.float32(1.0))
    skips[_credited(catalogue, feedback.rows[welcome])] = 0.0
    skips[feedback.artists] = 0.0
    owner, position = csr_slice(catalogue.artist_indptr, rows)
    tired = np.zeros(len(rows), dtype=np.float32)
    np.maximum.at(tired, owner, np.minimum(skips[catalogue.artist_indices[position]], np.float32(at_most)))
    return tired


def _credited(catalogue: Catalogue, rows: IntArray) -> IntArray:
    return catalogue.artist_indices[csr_slice(catalogue.artist_indptr, rows)[1]]


def exploring_draws(pool: Pool, settings: ExploringConfig, adventure: float, rng: np.random.Generator) -> FloatArray:
    """What exploring adds to the scores of the candidates, one line for each drawn page: float32[draws, c]."""
    amplitude = settings.strength * adventure**settings.curve
    return score_draws(pool.evidence(), settings, amplitude * pool.spread, rng)


def _held_back(pool: Pool, page: IntArray) -> FloatArray:
    """What variety cost each song of a page: float32[k] <= 0."""
    cost = np.zeros(len(page), dtype=np.float32)
    if pool.variety is not None:
        alike = similarities(pool.unit[page], pool.unit[page])
        for place in range(1, len(page)):
            cost[place] = -pool.variety.weight * alike[:place, place].max()
    return cost


def _filled(choice: Choice, model: Model, ranked: Ranked, k: int) -> Choice:
    """The choice with the places that its candidates left empty taken by the best of all songs that fit."""
    total = ranked.total.copy()
    # Songs already chosen come first whatever they score, so that the page rules count them.
    total[choice.rows] = total.max(initial=0.0) + np.float32(1.0)
    rows = pick_page(total, ranked.allowed, model.catalogue, k, model.config.max_per_artist)
    more = rows[~np.isin(rows, choice.rows)]
    none = np.zeros(len(more), dtype=np.float32)
    return Choice(
        rows=np.concatenate([choice.rows, more]),
        explored=np.concatenate([choice.explored, none.astype(np.bool_)]),
        propensity=np.concatenate([choice.propensity, np.ones(len(more))]),
        adjustments={name: np.concatenate([values, none]) for name, values in choice.adjustments.items()},
        policy=choice.policy,
    )
