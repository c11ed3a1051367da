"""One listener's feedback, folded into one signed weight per track."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from recommender.engine.data import NO_ADJUSTMENTS, NO_REGION, Adjustments, Feedback, FeedbackKind
from recommender.engine.data.arrays import BoolArray, FloatArray, IntArray, top_rows
from recommender.engine.errors import InvalidDataError

Computed = TypeVar("Computed")


def _signal() -> dict[str, float]:
    return {"like": 1.0, "dislike": -1.0, "completed": 0.5, "play": 0.25, "skip": -0.2}


def _half_life() -> dict[str, float]:
    return {"like": 730.0, "dislike": 730.0, "completed": 180.0, "play": 90.0, "skip": 30.0}


@dataclass(frozen=True)
class FeedbackConfig:
    """How feedback becomes weights; read at request time. Raise InvalidDataError.

    signal: weight of one observation by kind; a like is 1, and a negative signal lowers similar songs.
    half_life_days: days after which an observation of that kind counts half.
    repeat_gain: share of the signal that each doubling of the count adds (log as in Hu, Koren & Volinsky 2008, eq. 6).
    max_row_weight: the most that one song counts, in likes, however often it was played.
    max_songs: songs of largest weight that a profile keeps, which bounds the time of a page after years of listening.
    skip_share: limit of the sum of all skips, as a share of what was liked, so that a page of skips does not outweigh
    one like.

    These are priors that were written down, not tuned; `benchmarks.accuracy.quality` reads lists of likes, where only
    the signs matter.
    """

    signal: Mapping[str, float] = field(default_factory=_signal)
    half_life_days: Mapping[str, float] = field(default_factory=_half_life)
    repeat_gain: float = 0.25
    max_row_weight: float = 2.0
    max_songs: int = 3000
    skip_share: float = 0.3

    def __post_init__(self) -> None:
        kinds = set(_signal())
        for name in ("signal", "half_life_days"):
            if set(getattr(self, name)) != kinds:
                raise InvalidDataError(f"{name}: needs exactly the kinds {sorted(kinds)}")
        if any(days <= 0 for days in self.half_life_days.values()):
            raise InvalidDataError("half_life_days: must be positive")
        if self.max_songs < 1:
            raise InvalidDataError("max_songs: must be at least 1")


@dataclass(frozen=True, eq=False)
class ListenerProfile:
    """The feedback of one listener as the terms read it.

    rows: int32[m], distinct, increasing. weights: float32[m], signed, in likes. genres, artists: stated favourites.
    evidence: amount of positive feedback, in likes (0 = none); the blend's weights depend on it.
    adjustments: factors that the listener chose for single artists, genres and features.
    negative_confidence: float32[m] in 0..1, 1 for a fresh skip or dislike even though a skip weighs little; None means
    that it equals the absolute weight.
    disliked: bool[m], the disliked tracks; None means none. liked: bool[m], tracks with an explicit like; None means
    that it is unknown how the weights came about.
    origin: the profile with all feedback, of which this one is a part; None means this one.
    derived: values computed from this profile, by what computed them. The only part that changes: it grows.
    """

    rows: IntArray
    weights: FloatArray
    genres: IntArray
    artists: IntArray
    region: int
    evidence: float
    adjustments: Adjustments = NO_ADJUSTMENTS
    negative_confidence: FloatArray | None = None
    disliked: BoolArray | None = None
    liked: BoolArray | None = None
    origin: ListenerProfile | None = None
    derived: dict[Callable[..., Any], Any] = field(default_factory=dict, init=False, repr=False)

    def cached(self, work_out: Callable[[ListenerProfile], Computed]) -> Computed:
        """Return `work_out(self)` from `derived`, computed on the first call; it must not be written to."""
        if work_out not in self.derived:
            self.derived[work_out] = work_out(self)
        computed: Computed = self.derived[work_out]
        return computed

    @property
    def confidence(self) -> FloatArray:
        """Return the confidence of each observation, a yes where its weight is positive: float32[m], 0..1."""
        absolute = np.minimum(np.abs(self.weights), np.float32(1.0))
        return (
            absolute
            if self.negative_confidence is None
            else np.where(self.weights < 0, self.negative_confidence, absolute)
        )

    @property
    def whole(self) -> ListenerProfile:
        """Return the profile with all feedback."""
        return self.origin or self

    @property
    def n_negatives(self) -> float:
        """Return the effective number of negative observations, decayed by age."""
        return float(self.confidence[self.weights < 0].sum())

    @property
    def skips(self) -> float:
        """Return the effective number of skips of tracks that are not disliked, decayed by age."""
        skipped = self.weights < 0 if self.disliked is None else (self.weights < 0) & ~self.disliked
        return float(self.confidence[skipped].sum())

    @classmethod
    def from_feedback(cls, feedback: Feedback, config: FeedbackConfig) -> ListenerProfile:
        """Sum signal * repeats * decay per track; a dislike overrides every other signal of its track.

        A profile keeps the `config.max_songs` tracks of largest absolute weight; `evidence` counts all tracks.
        """
        rows, weights = _row_weights(feedback, config)
        evidence = float(np.clip(weights / config.signal["like"], 0.0, 1.0).sum())
        if len(rows) > config.max_songs:
            strongest = np.sort(top_rows(np.abs(weights), config.max_songs))
            rows, weights = rows[strongest], weights[strongest]
        return cls(
            rows=rows,
            weights=weights,
            genres=np.unique(feedback.genres),
            artists=np.unique(feedback.artists),
            region=feedback.region,
            evidence=evidence,
            adjustments=feedback.adjustments,
            negative_confidence=_negative_confidence(rows, feedback, config),
            disliked=_are_of(FeedbackKind.DISLIKE, rows, feedback),
            liked=_are_of(FeedbackKind.LIKE, rows, feedback),
        )

    def without_adjustments(self) -> ListenerProfile:
        """Return the profile without adjustments; itself if there are none."""
        return self if self.adjustments.is_empty else self.cached(_without_adjustments)

    def positive_only(self) -> ListenerProfile:
        """Return the profile without negative feedback and adjustments; itself if there are none."""
        learned = self.without_adjustments()
        return learned if (self.weights >= 0).all() else learned.cached(_without_dislikes)

    def without_dislikes(self) -> ListenerProfile:
        """Return the profile without the disliked tracks; itself if there are none."""
        return self if self.disliked is None or not self.disliked.any() else self.cached(_undisliked)

    @classmethod
    def anonymous(cls, region: int = NO_REGION) -> ListenerProfile:
        """Return an empty profile with a region."""
        none = np.empty(0, dtype=np.int32)
        weights = np.empty(0, dtype=np.float32)
        return cls(rows=none, weights=weights, genres=none, artists=none, region=region, evidence=0.0)

    @classmethod
    def of_one_track(cls, row: int) -> ListenerProfile:
        """Return a profile with one liked track, for "similar songs"."""
        none = np.empty(0, dtype=np.int32)
        rows, weights = np.array([row], dtype=np.int32), np.ones(1, dtype=np.float32)
        liked = np.ones(1, dtype=np.bool_)
        return cls(rows, weights, genres=none, artists=none, region=NO_REGION, evidence=1.0, liked=liked)


def _without_adjustments(listener: ListenerProfile) -> ListenerProfile:
    return replace(listener, adjustments=NO_ADJUSTMENTS, origin=listener.whole)


def _without_dislikes(listener: ListenerProfile) -> ListenerProfile:
    return _of_rows(listener, listener.weights >= 0)


def _undisliked(listener: ListenerProfile) -> ListenerProfile:
    assert listener.disliked is not None
    return _of_rows(listener, ~listener.disliked)


def _of_rows(listener: ListenerProfile, flags: BoolArray) -> ListenerProfile:
    """Return the profile with the flagged rows alone."""
    columns = ("rows", "weights", "negative_confidence", "disliked", "liked")
    some: dict[str, Any] = {
        name: None if getattr(listener, name) is None else getattr(listener, name)[flags] for name in columns
    }
    return replace(listener, **some, origin=listener.whole)


def signal_strength(kind: IntArray, count: FloatArray, config: FeedbackConfig) -> NDArray[np.float64]:
    """Return the undecayed weight of observations of `kind` (int32[m]) seen `count` times, in likes: float64[m].

    Repeats add by the logarithm, as in Hu, Koren & Volinsky (2008), equation 6.
    """
    return np.asarray(_by_kind(config.signal)[kind] * (1.0 + config.repeat_gain * np.log2(count)))


def decay(kind: IntArray, age_days: FloatArray, config: FeedbackConfig) -> NDArray[np.float64]:
    """Return the share that age leaves of observations of `kind` (int32[m]): float64[m] in 0..1."""
    return np.asarray(np.exp2(-age_days / _by_kind(config.half_life_days)[kind]))


def _by_kind(values: Mapping[str, float]) -> NDArray[np.float64]:
    return np.array([values[kind.name.lower()] for kind in FeedbackKind])


def _row_weights(feedback: Feedback, config: FeedbackConfig) -> tuple[IntArray, FloatArray]:
    value = signal_strength(feedback.kind, feedback.count, config) * decay(feedback.kind, feedback.age_days, config)
    disliked = feedback.rows[feedback.kind == FeedbackKind.DISLIKE]
    if len(disliked):
        value[np.isin(feedback.rows, disliked) & (feedback.kind != FeedbackKind.DISLIKE)] = 0.0
    rows, inverse = np.unique(feedback.rows, return_inverse=True)
    _limit_skips(value, feedback.kind == FeedbackKind.SKIP, config.skip_share)
    summed = np.bincount(inverse, weights=value, minlength=len(rows))
    return rows, np.clip(summed, -config.max_row_weight, config.max_row_weight).astype(np.float32)


def _are_of(kind: FeedbackKind, rows: IntArray, feedback: Feedback) -> BoolArray:
    """Flag the `rows` with an observation of that kind: bool[len(rows)]."""
    rows_of_kind = feedback.rows[feedback.kind == kind]
    return np.isin(rows, rows_of_kind) if len(rows_of_kind) else np.zeros(len(rows), dtype=np.bool_)


def _negative_confidence(rows: IntArray, feedback: Feedback, config: FeedbackConfig) -> FloatArray:
    """Return the decay of the latest skip or dislike of each of increasing `rows`, float32; 0 without one."""
    left = np.zeros(len(rows), dtype=np.float32)
    negatives = np.flatnonzero((feedback.kind == FeedbackKind.SKIP) | (feedback.kind == FeedbackKind.DISLIKE))
    if not len(negatives):
        return left
    negatives = negatives[np.isin(feedback.rows[negatives], rows)]
    fresh = decay(feedback.kind[negatives], feedback.age_days[negatives], config)
    np.maximum.at(left, np.searchsorted(rows, feedback.rows[negatives]), fresh.astype(np.float32))
    return left


def _limit_skips(value: NDArray[np.float64], skipped: BoolArray, share: float) -> None:
    """Scale skips in place to at most `share` of the sum of likes; without any like they keep their value."""
    liked, skipped_weight = float(value[value > 0].sum()), float(np.abs(value[skipped]).sum())
    if 0 < share * liked < skipped_weight:
        value[skipped] *= share * liked / skipped_weight
