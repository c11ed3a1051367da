"""From ranked candidates to a page, and the probability with which it was shown.

The pool holds one version of each candidate. Artists skipped in this session are penalised; diversity and the page
rules then pick the page. An exploring page is picked in the same way, with a draw from the posterior added to the
scores (`explore`); its propensities are estimated from further draws of the very same policy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recommender.engine.data import Catalogue, Feedback, FeedbackKind
from recommender.engine.data.arrays import BoolArray, FloatArray, IntArray, csr_slice, unit_vectors
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.data.statistics import score_std
from recommender.engine.model import Model
from recommender.engine.ranking.ranked import RankedCandidates
from recommender.engine.serving.config import ExploringConfig
from recommender.engine.serving.constraints import pick_page
from recommender.engine.serving.explore import PosteriorInputs, explored_mask, propensities, rarity, score_draws
from recommender.engine.serving.mmr import Mmr, PageConstraints, first_versions, pick_pages, similarities

PolicyName: TypeAlias = Literal["greedy", "thompson"]
ADJUSTMENTS = ("fatigue", "exploration", "variety")
"""What is added to the sum of the terms between score and page, by the names under which it is logged: the penalty for
artists skipped in this session, the draw, and the penalty for similar songs.
"""


@dataclass(frozen=True, eq=False)
class PageSelection:
    """k songs, best first: rows int32[k]; propensity float64[k]; explored bool[k]: on the page only by exploration.

    adjustments: by name of ADJUSTMENTS, what was added to the score of each song, float32[k]; names that added nothing
    are missing. The adjusted score never increases along the page as far as it comes from the candidates.
    """

    rows: IntArray
    explored: BoolArray
    propensity: NDArray[np.float64]
    adjustments: dict[str, FloatArray]
    policy: PolicyName


def certain(rows: IntArray) -> PageSelection:
    """Return a selection of rows in which nothing was drawn."""
    return PageSelection(rows, np.zeros(len(rows), dtype=np.bool_), np.ones(len(rows)), {}, "greedy")


@dataclass(frozen=True, eq=False)
class CandidatePool:
    """The candidates, one version of each: rows int32[c].

    scores: float32[c], with the penalty; skip_penalty: float32[c] <= 0; score_std: deviation of the scores; unit:
    float32[c, d], their unit vectors; posterior: None on a page that does not explore.
    """

    rows: IntArray
    scores: FloatArray
    skip_penalty: FloatArray
    score_std: float
    constraints: PageConstraints
    mmr: Mmr | None
    unit: FloatArray
    posterior: PosteriorInputs | None


def select_page(
    model: Model,
    ranked: RankedCandidates,
    feedback: Feedback,
    listener: ListenerProfile,
    k: int,
    adventure: float,
    rng: np.random.Generator,
) -> PageSelection:
    """Select the page of k songs; fewer if the rules leave no more.

    At adventure 0 nothing is drawn from `rng` and every propensity is 1. Otherwise the propensity of a song is its
    share of `ExploringConfig.n_samples` pages, the first of which is shown; songs from beyond the candidates, which
    only a catalogue of very few artists needs, have propensity 1.
    """
    pool = build_pool(model, ranked, feedback, listener, adventure)
    draws = exploring_draws(pool, model.config.exploring, adventure, rng)
    selection = select_from_pool(pool, k, pool.scores, draws, pool.mmr)
    return filled_up(selection, model, ranked, k)


def build_pool(
    model: Model, ranked: RankedCandidates, feedback: Feedback, listener: ListenerProfile, adventure: float
) -> CandidatePool:
    """Return the candidates that a page is picked from."""
    catalogue, config = model.catalogue, model.config
    positions = first_versions(catalogue.recording, ranked.rows)
    rows, scores = ranked.rows[positions], ranked.scores[positions]
    # A wider pool must not change the scale of exploration.
    scale = score_std(ranked.scores[: config.ranking.candidates])
    skips = session_skip_counts(catalogue, feedback, rows, config.page.max_session_skips)
    skip_penalty = np.float32(-config.page.skip_penalty * scale) * skips
    unit = unit_vectors(model.embedding(rows))
    mmr = Mmr(unit, config.page.diversity * scale) if config.page.diversity else None
    constraints = PageConstraints.of(catalogue, rows, config.page.max_per_artist)
    posterior = _posterior_inputs(model, listener, rows, unit) if adventure > 0.0 else None
    return CandidatePool(rows, scores + skip_penalty, skip_penalty, scale, constraints, mmr, unit, posterior)


def _posterior_inputs(model: Model, listener: ListenerProfile, rows: IntArray, unit: FloatArray) -> PosteriorInputs:
    return PosteriorInputs(
        vectors=unit,
        heard=model.unit_embedding_of(listener),
        weight=np.abs(listener.weights),
        rarity=rarity(model.attributes.listeners[rows]),
    )


def select_from_pool(
    pool: CandidatePool, k: int, scores: FloatArray, draws: FloatArray | None, mmr: Mmr | None
) -> PageSelection:
    """Select k candidates by `scores` (float32[c], -inf: not eligible), plus `draws` where the page explores."""
    greedy = pick_pages(scores[None, :], k, pool.constraints, mmr)[0]
    if draws is None:
        page, draw, probability = greedy, np.zeros_like(scores), np.ones(len(scores))
    else:
        pages = pick_pages(scores + draws, k, pool.constraints, mmr)
        page, draw, probability = pages[0], draws[0], propensities(pages, len(scores))
    page = page[page >= 0]
    penalty = _diversity_penalty(mmr, page)
    adjustments = {"fatigue": pool.skip_penalty[page], "exploration": draw[page], "variety": penalty}
    return PageSelection(
        rows=pool.rows[page],
        explored=explored_mask(page, greedy),
        propensity=probability[page],
        adjustments={name: values for name, values in adjustments.items() if values.any()},
        policy="greedy" if draws is None else "thompson",
    )


def exploring_draws(
    pool: CandidatePool, settings: ExploringConfig, adventure: float, rng: np.random.Generator
) -> FloatArray | None:
    """Return what exploration adds to the scores of the candidates, float32[draws, c]; None if nothing is explored."""
    if pool.posterior is None:
        return None
    if not len(pool.rows):
        return np.zeros((1, 0), dtype=np.float32)
    amplitude = settings.strength * adventure**settings.exponent
    return score_draws(pool.posterior, settings, amplitude * pool.score_std, rng)


def session_skip_counts(catalogue: Catalogue, feedback: Feedback, rows: IntArray, at_most: float) -> FloatArray:
    """Return how many songs of its most skipped artist the listener skipped today, float32[len(rows)], up to `at_most`.

    An artist that was also liked, played to the end or chosen does not count.
    """
    skipped = (feedback.kind == FeedbackKind.SKIP) & (feedback.age_days < 1.0)
    is_positive = np.isin(feedback.kind, (FeedbackKind.LIKE, FeedbackKind.COMPLETED))
    skips = np.zeros(catalogue.n_artists, dtype=np.float32)
    np.add.at(skips, _credited(catalogue, np.unique(feedback.rows[skipped])), np.float32(1.0))
    skips[_credited(catalogue, feedback.rows[is_positive])] = 0.0
    skips[feedback.artists] = 0.0
    owner, position = csr_slice(catalogue.artist_indptr, rows)
    counts = np.zeros(len(rows), dtype=np.float32)
    np.maximum.at(counts, owner, np.minimum(skips[catalogue.artist_indices[position]], np.float32(at_most)))
    return counts


def _credited(catalogue: Catalogue, rows: IntArray) -> IntArray:
    return catalogue.artist_indices[csr_slice(catalogue.artist_indptr, rows)[1]]


def _diversity_penalty(mmr: Mmr | None, page: IntArray) -> FloatArray:
    """Return what diversity takes off each song of a page: float32[k] <= 0."""
    penalty = np.zeros(len(page), dtype=np.float32)
    if mmr is not None:
        similarity = similarities(mmr.unit[page], mmr.unit[page])
        for position in range(1, len(page)):
            penalty[position] = -mmr.weight * similarity[:position, position].max()
    return penalty


def filled_up(selection: PageSelection, model: Model, ranked: RankedCandidates, k: int) -> PageSelection:
    """Return the selection with empty places filled by the best of all songs that fit."""
    if len(selection.rows) == k:
        return selection
    limit = model.config.page.max_per_artist
    rows = pick_page(ranked.total, ranked.allowed, model.catalogue, k, limit, first=selection.rows)
    zeros = np.zeros(len(rows) - len(selection.rows), dtype=np.float32)
    return replace(
        selection,
        rows=rows,
        explored=np.concatenate([selection.explored, zeros.astype(np.bool_)]),
        propensity=np.concatenate([selection.propensity, np.ones(len(zeros))]),
        adjustments={name: np.concatenate([values, zeros]) for name, values in selection.adjustments.items()},
    )
