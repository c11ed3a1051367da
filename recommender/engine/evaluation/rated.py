"""Quality of rankings on ratings: whether a person's likes come before the same person's dislikes.

Protocol: some people are test people and never fitted on. A test person's ratings are put in a random order, once. The
first n are revealed as likes and dislikes; every scorer ranks the songs of the others, by which it is judged. A person
counts if there are n ratings to reveal, and a like and a dislike among the ranked songs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from recommender.engine.config import EngineConfig
from recommender.engine.data import NO_REGION, Catalogue, Feedback, FeedbackKind, Interactions
from recommender.engine.data.arrays import BoolArray, FloatArray, IntArray, as_float32
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.data.statistics import roc_auc
from recommender.engine.errors import InvalidDataError
from recommender.engine.evaluation.low_rank_gaussian import (
    BINARY,
    GRADED,
    GaussianConfig,
    LowRankGaussian,
    shrunk_means,
)
from recommender.engine.evaluation.metrics import Interval, bootstrap_interval, bootstrap_intervals, ndcg_at_k
from recommender.engine.evaluation.split import Reveal
from recommender.engine.fit import fit_model
from recommender.engine.model import Model
from recommender.engine.rank import rank
from recommender.engine.score import score_content
from recommender.engine.terms import Progress, no_progress
from recommender.engine.terms.popularity import PopularityTerm

DEPTH = 5
PARTS = 5
"""One of so many parts of the people is tested if no number of folds is set."""
MODEL, LIKES_ONLY, POPULARITY = "model", "model, likes only", "popularity"
TERM_ROWS = {PopularityTerm.name: "popularity (term)"}
"""Names of the rows of terms whose own name is that of another row."""


@dataclass(frozen=True, eq=False)
class Ratings:
    """m ratings, at most one of each person and row. Raise InvalidDataError.

    listener: int32[m], from 0; row: int32[m]; weight: float32[m], positive = liked, negative = disliked. grade:
    float32[m] in 0..1, if known. judged: bool[m], ratings that are ranked and never revealed; None: all that are not
    revealed. is_test: bool[people], people who are never fitted on; None: they are drawn. known: bool[m], whether the
    person had heard the song before, if anybody said.
    """

    listener: IntArray
    row: IntArray
    weight: FloatArray
    grade: FloatArray | None = None
    judged: BoolArray | None = None
    is_test: BoolArray | None = None
    known: BoolArray | None = None

    def __post_init__(self) -> None:
        for name in ("row", "weight", "grade", "judged", "known"):
            array = getattr(self, name)
            if array is not None and len(array) != len(self.listener):
                raise InvalidDataError(f"{name}: expected {len(self.listener)} values, got {len(array)}")
        if self.is_test is not None and len(self.is_test) <= self.listener.max(initial=-1):
            raise InvalidDataError("is_test: does not have all people")

    @property
    def n_people(self) -> int:
        return len(self.is_test) if self.is_test is not None else int(self.listener.max(initial=-1)) + 1

    def fitted_on(self, people: BoolArray) -> BoolArray:
        """Return which ratings of `people` (bool[n_people]) may be fitted on, bool[m]: none that is judged."""
        return people[self.listener] if self.judged is None else people[self.listener] & ~self.judged


@dataclass(frozen=True, eq=False)
class RatingQuery:
    """The revealed ratings of one person (rows, weights, grades), and the rows to be ranked, with the liked ones."""

    revealed: IntArray
    weight: FloatArray
    grade: FloatArray | None
    ranked: IntArray
    liked: BoolArray

    @cached_property
    def feedback(self) -> Feedback:
        """Return the revealed ratings as fresh likes and dislikes."""
        kind = np.where(self.weight > 0, FeedbackKind.LIKE, FeedbackKind.DISLIKE).astype(np.int32)
        ones = np.ones(len(kind), dtype=np.float32)
        return Feedback(rows=self.revealed, kind=kind, count=ones, age_days=np.zeros_like(ones))

    @cached_property
    def likes(self) -> Feedback:
        """Return the revealed likes alone."""
        return Feedback.likes(self.revealed[self.weight > 0])


RatingScorer = Callable[[RatingQuery], FloatArray]
"""Scores the ranked rows of a query, float32[c], without reading `liked`."""


@dataclass(frozen=True)
class RatingEvaluationRow:
    """Quality of one scorer at one amount: means over `people`, with bootstrap intervals.

    auc_minus_likes_only: for the model, its gain from the dislikes.
    """

    scorer: str
    reveal: str
    people: int
    auc: Interval
    ndcg_at_5: Interval
    auc_minus_likes_only: Interval | None = None


@dataclass(frozen=True, eq=False)
class MeasuredRatings:
    """Quality of one scorer at one amount, person by person: float64[people] each."""

    scorer: str
    reveal: str
    auc: NDArray[np.float64]
    ndcg_at_5: NDArray[np.float64]


def rating_rows(measured: Sequence[MeasuredRatings], seed: int) -> list[RatingEvaluationRow]:
    """Return means and intervals; with one seed, all scorers are resampled alike."""
    likes_only = {line.reveal: line.auc for line in measured if line.scorer == LIKES_ONLY}
    rows = []
    for line in measured:
        figures = np.stack([line.auc, line.ndcg_at_5], axis=1)
        auc, ndcg = bootstrap_intervals(figures, np.random.default_rng(seed))
        gain = None
        if line.scorer == MODEL:
            gain = bootstrap_interval(line.auc - likes_only[line.reveal], np.random.default_rng(seed))
        rows.append(RatingEvaluationRow(line.scorer, line.reveal, len(line.auc), auc, ndcg, gain))
    return rows


def compare_ratings(
    catalogue: Catalogue,
    ratings: Ratings,
    config: EngineConfig,
    reveals: Sequence[str],
    seed: int = 0,
    folds: int | None = None,
    progress: Progress = no_progress,
) -> list[MeasuredRatings]:
    """Measure every scorer, person by person; the same seed gives the same figures.

    folds: number of fits, with everybody a test person once; None: one fit, tested on the people of `is_test`, else on
    a fifth of the people, drawn. Amounts at which nobody counts are left out. Raise InvalidDataError for a bad
    `reveals` or `folds`, or inputs that do not match.
    """
    amounts = [Reveal(label) for label in reveals]
    order_rng, split_rng, fit_rng, other_rng = np.random.default_rng(seed).spawn(4)
    order = order_rng.permutation(len(ratings.row))
    parts = people_by_fit(ratings, split_rng, folds)
    tally = RatingTally()
    streams = zip(fit_rng.spawn(len(parts)), other_rng.spawn(len(parts)), strict=True)
    for number, (is_test, (fit, other)) in enumerate(zip(parts, streams, strict=True)):
        report = _share_of(progress, number, len(parts))
        training = interactions_of(ratings, ~is_test)
        model = fit_model(catalogue, training, config, fit, report)
        scorers = model_scorers(model) | peer_scorers(catalogue.n_tracks, ratings, ~is_test, other)
        for reveal in amounts:
            report(f"{reveal.label} revealed", 1.0)
            tally.add(scorers, reveal.label, rating_queries(ratings, order, is_test, reveal))
    progress("done", 1.0)
    return tally.measured([reveal.label for reveal in amounts])


def people_by_fit(ratings: Ratings, rng: np.random.Generator, folds: int | None) -> list[BoolArray]:
    """Return the test people of each fit, bool[n_people]. Raise InvalidDataError for impossible `folds`."""
    if ratings.is_test is not None:
        if folds is not None:
            raise InvalidDataError("folds: it is told already who is a test person")
        return [ratings.is_test]
    if folds is not None and not 2 <= folds <= ratings.n_people:
        raise InvalidDataError(f"folds: {folds} of {ratings.n_people} people cannot be made")
    parts = np.array_split(rng.permutation(ratings.n_people), folds or PARTS)
    people = np.arange(ratings.n_people)
    return [np.isin(people, part) for part in (parts if folds else parts[:1])]


def interactions_of(ratings: Ratings, people: BoolArray) -> Interactions:
    """Return the ratings of some `people` (bool[n_people]) to fit on, with the people renumbered from 0."""
    seen = ratings.fitted_on(people)
    region = np.full(ratings.n_people, NO_REGION, dtype=np.int32)
    arrays = ratings.listener[seen], ratings.row[seen], ratings.weight[seen]
    return Interactions(*arrays, region).of_listeners(people)


def rating_queries(
    ratings: Ratings, order: NDArray[np.int64], people: BoolArray, reveal: Reveal
) -> Iterator[RatingQuery]:
    """Yield the queries of those of `people` who count at one amount; order: of all ratings, int64[m]."""
    sorted_by_person = order[np.argsort(ratings.listener[order], kind="stable")]
    bounds = np.searchsorted(ratings.listener[sorted_by_person], np.arange(ratings.n_people + 1))
    for person in np.flatnonzero(people):
        own = sorted_by_person[bounds[person] : bounds[person + 1]]
        query = _query(ratings, own, reveal)
        if query is not None and query.liked.any() and not query.liked.all():
            yield query


def _query(ratings: Ratings, own: NDArray[np.int64], reveal: Reveal) -> RatingQuery | None:
    """Return the query about one person's ratings at positions `own`; None if there are too few to reveal."""
    revealable = own if ratings.judged is None else own[~ratings.judged[own]]
    count = reveal.count(len(revealable))
    if not 0 < count <= len(revealable):
        return None
    shown = revealable[:count]
    ranked = revealable[count:] if ratings.judged is None else own[ratings.judged[own]]
    return RatingQuery(
        revealed=ratings.row[shown],
        weight=ratings.weight[shown],
        grade=None if ratings.grade is None else ratings.grade[shown],
        ranked=ratings.row[ranked],
        liked=ratings.weight[ranked] > 0,
    )


# --- scorers ---------------------------------------------------------------------------------------------------------
def model_scorers(model: Model) -> dict[str, RatingScorer]:
    """Return scorers: the model, the model with the likes alone, each term that is not off, and `content`."""
    folded = _Folded(model)

    def ranking(query: RatingQuery, listener: ListenerProfile) -> FloatArray:
        allowed = np.ones(model.catalogue.n_tracks, dtype=np.bool_)
        allowed[query.revealed] = False
        return rank(model, listener, allowed).total[query.ranked]

    def term_scorer(name: str) -> RatingScorer:
        return lambda query: model.terms[name].score(folded.listener(query))[query.ranked]

    scorers: dict[str, RatingScorer] = {
        MODEL: lambda query: ranking(query, folded.listener(query)),
        LIKES_ONLY: lambda query: ranking(query, model.listener(query.likes)),
        "content": lambda query: score_content(model, folded.listener(query)).total[query.ranked],
    }
    terms = [name for name in model.terms if name in model.config.blend.term_weights]
    return scorers | {TERM_ROWS.get(name, name): term_scorer(name) for name in terms}


class _Folded:
    """The profile of the last query's person, so that scorers share its derived values."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._last: tuple[RatingQuery, ListenerProfile] | None = None

    def listener(self, query: RatingQuery) -> ListenerProfile:
        if self._last is None or self._last[0] is not query:
            self._last = query, self._model.listener(query.feedback)
        return self._last[1]


def peer_scorers(
    n_tracks: int, ratings: Ratings, people: BoolArray, rng: np.random.Generator
) -> dict[str, RatingScorer]:
    """Return scorers fitted on the same people: two that are not personal, and a plain model."""
    seen = ratings.fitted_on(people)
    rows, liked = ratings.row[seen], ratings.weight[seen] > 0
    share = as_float32(shrunk_means(rows, as_float32(liked), n_tracks))
    likes = np.bincount(rows[liked], minlength=n_tracks).astype(np.float32)
    scorers: dict[str, RatingScorer] = {
        "share of likes": lambda query: share[query.ranked],
        POPULARITY: lambda query: likes[query.ranked],
    }
    # Each has its own stream: leaving one out does not change the other.
    binary_rng, graded_rng = rng.spawn(2)
    binary = _gaussian(n_tracks, ratings, seen, as_float32(ratings.weight > 0), BINARY, binary_rng)
    scorers["low-rank gaussian"] = _folded_in(binary, lambda query: as_float32(query.weight > 0))
    if ratings.grade is not None:
        graded = _gaussian(n_tracks, ratings, seen, ratings.grade, GRADED, graded_rng)
        scorers["low-rank gaussian, graded"] = _folded_in(graded, _grades)
    return scorers


def _folded_in(model: LowRankGaussian, values: Callable[[RatingQuery], FloatArray]) -> RatingScorer:
    return lambda query: model.score(query.revealed, values(query))[query.ranked]


def _grades(query: RatingQuery) -> FloatArray:
    assert query.grade is not None
    return query.grade


def _gaussian(
    n_tracks: int,
    ratings: Ratings,
    seen: BoolArray,
    values: FloatArray,
    config: GaussianConfig,
    rng: np.random.Generator,
) -> LowRankGaussian:
    """Return a model of the `seen` (bool[m]) of all `values`; people without any do not change it."""
    shape = (ratings.n_people, n_tracks)
    cells = sp.coo_array((values[seen], (ratings.listener[seen], ratings.row[seen])), shape=shape)
    return LowRankGaussian.fit(cells.tocsr(), config, rng)


# --- figures ---------------------------------------------------------------------------------------------------------
class RatingTally:
    """Figures of every scorer at every amount, person by person."""

    def __init__(self) -> None:
        self._auc: dict[tuple[str, str], list[float]] = {}
        self._ndcg: dict[tuple[str, str], list[float]] = {}

    def add(self, scorers: Mapping[str, RatingScorer], reveal: str, queries: Iterable[RatingQuery]) -> None:
        """Measure all scorers on one person before the next, so that they can share work."""
        # The computation for one person is so small that a second thread of the linear algebra slows it down.
        with threadpool_limits(1, user_api="blas"):
            for query in queries:
                for name, scorer in scorers.items():
                    scores = scorer(query)
                    self._auc.setdefault((reveal, name), []).append(roc_auc(scores, query.liked))
                    self._ndcg.setdefault((reveal, name), []).append(_ndcg(scores, query.liked))

    def measured(self, reveals: Sequence[str]) -> list[MeasuredRatings]:
        """Return the figures by amount; amounts at which nobody counts are left out."""
        return [
            MeasuredRatings(name, reveal, np.array(auc), np.array(self._ndcg[reveal, name]))
            for wanted in reveals
            for (reveal, name), auc in self._auc.items()
            if reveal == wanted
        ]


def _ndcg(scores: FloatArray, liked: BoolArray) -> float:
    """Return nDCG at DEPTH; the tracks come in random order, which ties keep."""
    best = np.argsort(-scores, kind="stable").astype(np.int32)
    return ndcg_at_k(best, np.flatnonzero(liked).astype(np.int32), DEPTH)


def _share_of(progress: Progress, number: int, total: int) -> Progress:
    """Return the progress callback of one of `total` fits."""
    return lambda step, share: progress(step, (number + share) / total)
