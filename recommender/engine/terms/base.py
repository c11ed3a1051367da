"""The interface of a term, one named summand of a recommendation.

A new term is one module with one class that satisfies `Term`, and a line in the registry of `terms/__init__`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol, Self, TypeAlias, runtime_checkable

import numpy as np

from recommender.engine.data import Catalogue, Interactions
from recommender.engine.data.arrays import AnyArray, BoolArray, FloatArray, IntArray, Sparse, as_float32
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.fitting.als import FactorConfig
from recommender.engine.fitting.cooccurrence import CooccurrenceConfig
from recommender.engine.fitting.implicit_negatives import PreferenceConfig
from recommender.engine.fitting.relevance import AudioConfig

Progress: TypeAlias = Callable[[str, float], None]
CauseKind: TypeAlias = Literal["track", "artist", "genre", "region", "listeners", "catalogue"]
Stance: TypeAlias = Literal["liked", "played", "chosen", "disliked", "skipped", "none"]
"""What a listener did with a cause; "none" if there is nothing to name (see `causes`)."""

Weight: TypeAlias = float | tuple[float, ...]
"""Weight of a term's standard score: one number, or a curve over `BlendConfig.amounts` of evidence."""
Wording: TypeAlias = Mapping[str, str]
"""What a song of the listener says for another in words, by stance; English templates with a `title`."""
MIN_LISTENERS = 2
"""Listeners below whom the terms that need others stay silent."""
STATED_WEIGHT = 1.5
"""Weight of a stated favourite, in likes: one dislike does not take it back, two do."""


@dataclass(frozen=True)
class TermsConfig:
    """Numbers of the terms that differ between deployments or tests; the others are constants beside their code.

    region_shrinkage: listeners that a region needs before its own counts weigh as much as the global ones.
    region_min_listeners: regions with fewer listeners use the global figure.
    factors: of `collaborative`. neighbours: of `item_to_item`. audio, preference: of the terms of these names.
    """

    region_shrinkage: float = 200.0
    region_min_listeners: int = 20
    factors: FactorConfig = field(default_factory=FactorConfig)
    neighbours: CooccurrenceConfig = field(default_factory=CooccurrenceConfig)
    audio: AudioConfig = field(default_factory=AudioConfig)
    preference: PreferenceConfig = field(default_factory=PreferenceConfig)


def gettext_noop(text: str) -> str:
    """Mark a text for translation and return it unchanged; the engine itself translates nothing."""
    return text


def no_progress(step: str, share: float) -> None:
    """Do nothing, as a progress callback. `step` names the work, `share` is 0..1."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing about the listener (or the world) that raised or lowered a term.

    kind and index: a track row, artist index, genre index or region code; index is -1 for `listeners` (the plays of all
    listeners) and `catalogue` (its own popularity figure). value: signed, in units of the term's score. tracks: rows of
    the listener's tracks that support an artist or genre, strongest first; empty for a stated favourite. stance: what
    the listener did with the track, artist or genre.
    """

    kind: CauseKind
    index: int
    value: float
    tracks: tuple[int, ...] = ()
    stance: Stance = "none"


class Term(Protocol):
    """One named summand of a recommendation.

    A fitted term is immutable. `score` is linear in its causes: for each row, the values of all causes that `explain`
    returns add up to the score (tested for all terms). Unknown is neutral: a track or listener without data gets the
    value that stands for "no opinion".
    """

    name: ClassVar[str]
    """The stored name: of the term's arrays, its weights and the records of explanations."""
    label: ClassVar[str]
    """English name of this part of the score."""
    wording: ClassVar[Wording | None]
    """Reasons in words for songs as causes; None for a term that says nothing in words."""
    default_weight: ClassVar[Weight]
    """Prior weight of the standard score until a fit learns better."""
    similar_weight: ClassVar[float]
    """Weight in "songs similar to this one"; 0 leaves the term out."""
    is_adjustable: ClassVar[bool]
    """Whether the term has parts that a listener can turn up and down."""
    sqrt_transform: ClassVar[bool]
    """Whether the blend should take the signed square root before standardising."""
    is_collaborative: ClassVar[bool]
    """Whether the term needs other listeners; such terms are left out of the `content` blend."""
    uses_implicit_negatives: ClassVar[bool]
    """Whether the term treats an unanswered song as a weak negative, as in a list of chosen songs. Such a term ignores
    dislikes, because songs that share lists with a disliked song are liked more than the average song.
    """

    @classmethod
    def fit(
        cls,
        catalogue: Catalogue,
        interactions: Interactions,
        config: TermsConfig,
        rng: np.random.Generator,
        progress: Progress,
    ) -> Self:
        """Fit the catalogue side; nothing per listener is stored."""

    def score(self, listener: ListenerProfile, rows: IntArray | None = None) -> FloatArray:
        """Return the scores of all tracks, or of `rows` alone, as a new float32 array; higher is better."""

    def explain(self, listener: ListenerProfile, rows: IntArray, limit: int | None = None) -> list[list[Cause]]:
        """Return the causes of the scores of `rows`, one list per row.

        Without a limit these are all causes, in any order; with one, the `limit` causes that raised the score most and
        may be named, strongest first.
        """

    def arrays(self) -> Mapping[str, AnyArray]:
        """Return the arrays to store; the keys are file names without suffix."""

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: TermsConfig) -> Self:
        """Return the term of stored arrays, which may be memory-mapped, without a copy; raise KeyError for a gap."""


@dataclass(frozen=True, eq=False)
class SparseScores:
    """Scores of a few of n tracks: float32[m] values of distinct rows int32[m]; every other track scores 0."""

    rows: IntArray
    values: FloatArray
    n_tracks: int

    def of_all(self) -> FloatArray:
        """Return the scores of all tracks, float32[n]."""
        scores = np.zeros(self.n_tracks, dtype=np.float32)
        scores[self.rows] = self.values
        return scores


class SparseTerm(ABC):
    """A term that scores most tracks 0, so that only the others need to be visited."""

    name: ClassVar[str]
    sqrt_transform: ClassVar[bool]
    wording: ClassVar[Wording | None] = None
    similar_weight: ClassVar[float] = 0.0
    is_adjustable: ClassVar[bool] = False
    uses_implicit_negatives: ClassVar[bool] = False

    @abstractmethod
    def sparse_scores(self, listener: ListenerProfile) -> SparseScores:
        """Return the scores that are not 0; the caller may overwrite them."""

    def score(self, listener: ListenerProfile, rows: IntArray | None = None) -> FloatArray:
        """See `Term`."""
        scores = self.sparse_scores(listener).of_all()
        return scores if rows is None else scores[rows]


class LinearTerm(ABC):
    """A term whose score is a dot product: score[t] = item vector of t . user vector, of d dimensions.

    A few tracks can therefore be scored without the others, and the mean and deviation over all tracks follow from
    moments of the item vectors, which are the same for every listener.
    """

    wording: ClassVar[Wording | None] = None
    similar_weight: ClassVar[float] = 0.0
    is_adjustable: ClassVar[bool] = False
    uses_implicit_negatives: ClassVar[bool] = False

    @abstractmethod
    def user_vector(self, listener: ListenerProfile) -> FloatArray:
        """Return the user vector, float32[d]."""

    @abstractmethod
    def item_vectors(self, rows: IntArray) -> FloatArray | Sparse:
        """Return the item vectors of some tracks, len(rows) x d."""

    def projection(self, limit: int) -> FloatArray | None:
        """Return orthonormal directions float32[d, about `limit`] that hold most of every score; None for all d."""
        return None

    def item_groups(self) -> IntArray | None:
        """Return group numbers int32[n], equal only for equal item vectors; None if hardly any are equal."""
        return None

    def user_archetypes(self) -> Sequence[ListenerProfile] | None:
        """Return one representative listener per distinct user vector, or None if there are too many."""
        return None

    @abstractmethod
    def score_all(self, listener: ListenerProfile) -> FloatArray:
        """Return the product for every track, float32[n], as fast as the term's layout allows."""

    def score(self, listener: ListenerProfile, rows: IntArray | None = None) -> FloatArray:
        """See `Term`."""
        if rows is None:
            return self.score_all(listener)
        return as_float32(self.item_vectors(rows) @ self.user_vector(listener))

    def score_many(self, listeners: Sequence[ListenerProfile]) -> list[FloatArray]:
        """Return `score` of each listener; a dense term reads its table once for all of them."""
        return [self.score(listener) for listener in listeners]


@dataclass(frozen=True, eq=False)
class Change:
    """The difference between the present data and a fitted model.

    old_rows: int32[n], each track's row in the model, -1 if it is new. touched: bool[n], tracks whose number of
    listeners has changed.
    """

    old_rows: IntArray
    touched: BoolArray


@runtime_checkable
class Updatable(Protocol):
    """A term that can be updated for a change at less cost than by a fit."""

    def updated(
        self,
        change: Change,
        catalogue: Catalogue,
        interactions: Interactions,
        config: TermsConfig,
        rng: np.random.Generator,
    ) -> Self:
        """Return the term for `catalogue` and all `interactions`, old and new."""
