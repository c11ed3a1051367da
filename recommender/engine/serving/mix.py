"""Mixes of songs that are like others, in the order that fits the listener."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from recommender.engine.data import Feedback, FeedbackKind, check_range
from recommender.engine.data.arrays import BoolArray, FloatArray, IntArray, as_float32, as_int32, flags_of, top_rows
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.model import Model
from recommender.engine.rank import rank
from recommender.engine.ranking.blend import blend, standardise
from recommender.engine.ranking.ranked import RankedCandidates
from recommender.engine.serving.mmr import first_versions
from recommender.engine.serving.policy import select_page
from recommender.engine.serving.recommend import PageItem, Request, allowed_tracks, page_items

NEAREST = 200
"""So many of the most similar songs are put in the listener's order; a mix of 50 chooses one in four."""
SESSION_DAYS = 2.0 / 24.0
"""What was heard or skipped so recently is not in the mix again."""
_HEARD = (FeedbackKind.COMPLETED, FeedbackKind.PLAY, FeedbackKind.SKIP)


@dataclass(frozen=True, eq=False)
class Mix:
    """Songs, best first: rows int32[k]; similarity float32[k] to the seeds, 0..1."""

    rows: IntArray
    similarity: FloatArray


def mix(model: Model, feedback: Feedback, seeds: IntArray, request: Request) -> Mix:
    """Return `request.k` songs similar to the `seeds`, ordered by similarity plus the listener's own ranking.

    The `NEAREST` most similar songs that the request allows are ranked as a page for the listener is; both scores are
    standardised over these and added. Songs that the listener liked may be in it, disliked ones and those of this
    session are not. Similarity is the logistic function of the standard score. Raise InvalidDataError if a row lies
    outside the catalogue.
    """
    check_range("seeds", seeds, 0, model.catalogue.n_tracks)
    likeness = _likeness(model, seeds)
    left_out = np.concatenate([seeds, unwanted_now(feedback), request.excluded]).astype(np.int32)
    allowed = allowed_tracks(model.catalogue, left_out, request).mask()
    nearest = top_rows(likeness, max(NEAREST, 2 * request.k), allowed)
    if not len(nearest):
        return Mix(np.empty(0, dtype=np.int32), np.empty(0, dtype=np.float32))
    listener = model.listener(feedback)
    ranked = rank(model, listener, flags_of(nearest, model.catalogue.n_tracks))
    scores = _standard(ranked.scores) + _standard(likeness[ranked.rows])
    order = np.lexsort((ranked.rows, -scores)).astype(np.int32)
    mixed = replace(ranked, rows=ranked.rows[order], scores=scores[order], order=ranked.order[order])
    rows = select_page(model, mixed, feedback, listener, request.k, 0.0, np.random.default_rng(0)).rows
    return Mix(rows, as_float32(1.0 / (1.0 + np.exp(-likeness[rows]))))


def nearest(model: Model, seeds: IntArray, k: int, only: IntArray) -> Mix:
    """Return the k songs of `only` that are most like the seeds, whoever asks. Raise InvalidDataError."""
    check_range("seeds", seeds, 0, model.catalogue.n_tracks)
    likeness = _likeness(model, seeds)
    allowed = allowed_tracks(model.catalogue, seeds, Request(k=k, only=only)).mask()
    rows = top_rows(likeness, 2 * k + NEAREST, allowed)
    rows = rows[first_versions(model.catalogue.recording, rows)][:k]
    return Mix(rows, as_float32(1.0 / (1.0 + np.exp(-likeness[rows]))))


def by_taste(model: Model, feedback: Feedback, request: Request) -> IntArray:
    """Return the `request.k` allowed rows that the listener's ranking puts first, without a limit for each artist."""
    left_out = np.concatenate([disliked(feedback), request.excluded]).astype(np.int32)
    allowed = allowed_tracks(model.catalogue, left_out, request)
    ranked = rank(model, model.listener(feedback), allowed)
    rows: IntArray = ranked.rows[first_versions(model.catalogue.recording, ranked.rows)][: request.k]
    return rows


@dataclass(frozen=True, eq=False)
class RankedSongs:
    """Some songs as a listener ranks them."""

    model: Model
    listener: ListenerProfile
    ranked: RankedCandidates

    def scores(self, rows: IntArray) -> FloatArray:
        """Return the listener's scores of some of the songs that were ranked, float32[len(rows)]."""
        return as_float32(self.ranked.total[rows])

    def explained(self, rows: IntArray) -> tuple[PageItem, ...]:
        """Return some of the songs that were ranked, with their parts and reasons, in the order of `rows`."""
        parts, never = self.ranked.contributions(rows), np.zeros(len(rows), dtype=np.bool_)
        return page_items(self.model, self.listener, rows, parts, np.ones(len(rows)), never)


def rank_songs(model: Model, feedback: Feedback, rows: IntArray) -> RankedSongs:
    """Rank `rows` alone for a listener, whatever they think of them. Raise InvalidDataError."""
    check_range("rows", rows, 0, model.catalogue.n_tracks)
    listener = model.listener(feedback)
    return RankedSongs(model, listener, rank(model, listener, flags_of(rows, model.catalogue.n_tracks)))


def may_hear(model: Model, feedback: Feedback, request: Request, rows: IntArray) -> BoolArray:
    """Return which of `rows` a listener's request allows and they don't dislike, bool[len(rows)]."""
    left_out = np.concatenate([disliked(feedback), request.excluded]).astype(np.int32)
    return allowed_tracks(model.catalogue, left_out, request).mask(rows)


def disliked(feedback: Feedback) -> IntArray:
    """Return the rows that the listener dislikes."""
    return as_int32(feedback.rows[feedback.kind == FeedbackKind.DISLIKE])


def unwanted_now(feedback: Feedback) -> IntArray:
    """Return the rows that the listener dislikes, or heard or skipped in this session."""
    is_recent = np.isin(feedback.kind, _HEARD) & (feedback.age_days < SESSION_DAYS)
    return np.concatenate([disliked(feedback), feedback.rows[is_recent]])


def _likeness(model: Model, seeds: IntArray) -> FloatArray:
    """Return how alike all songs are to the seeds, standardised over the catalogue, float32[n]."""
    profile = ListenerProfile.from_feedback(Feedback.likes(np.unique(seeds)), model.config.feedback)
    total = blend(model.terms, model.config.blend.similar_weights, profile).total
    return _standard(total)


def _standard(scores: FloatArray) -> FloatArray:
    return standardise(scores.astype(np.float32, copy=True), sqrt_transform=False)
