"""One listener's feedback, folded into one signed weight per track."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from recommender.engine.arrays import BoolArray, FloatArray, IntArray, top_rows
from recommender.engine.config import EngineConfig
from recommender.engine.data import NO_ADJUSTMENTS, NO_REGION, Adjustments, Feedback, FeedbackKind

Found = TypeVar("Found")
REFUSALS = (FeedbackKind.SKIP, FeedbackKind.DISLIKE)


@dataclass(frozen=True, eq=False)
class Listener:
    """What the terms see of a listener.

    rows: int32[m], distinct, increasing; weights: float32[m], signed, in likes. genres, artists: stated favourites.
    amount: how much is known, in likes (0 = nothing); the blend's weights depend on it. adjustments: how much single
    artists, genres and features count, by the listener's own word. refused: float32[m], how sure it is that a track was
    refused, 1 for a fresh skip or dislike, however little a skip weighs; None: as sure as the weights say.
    """

    rows: IntArray
    weights: FloatArray
    genres: IntArray
    artists: IntArray
    region: int
    amount: float
    adjustments: Adjustments = NO_ADJUSTMENTS
    refused: FloatArray | None = None
    _known: dict[Callable[..., Any], Any] = field(default_factory=dict, init=False, repr=False)

    def once(self, work_out: Callable[[Listener], Found]) -> Found:
        """What `work_out` makes of this listener, worked out when first asked for: scores and reasons share it.

        Not to be written to.
        """
        if work_out not in self._known:
            self._known[work_out] = work_out(self)
        found: Found = self._known[work_out]
        return found

    @property
    def sureness(self) -> FloatArray:
        """How sure each track's answer is, a yes where its weight is positive, else a no: float32[m] in 0..1."""
        said = np.minimum(np.abs(self.weights), np.float32(1.0))
        return said if self.refused is None else np.where(self.weights < 0, self.refused, said)

    @property
    def refusals(self) -> float:
        """How many tracks were refused, long ago in part."""
        return float(self.sureness[self.weights < 0].sum())

    @classmethod
    def from_feedback(cls, feedback: Feedback, config: EngineConfig) -> Listener:
        """Sum signal * repeats * decay per track; a dislike silences every other signal of its track.

        Of more than `config.max_songs` tracks those of largest absolute weight; `amount` is of all.
        """
        rows, weights = _row_weights(feedback, config)
        amount = float(np.clip(weights / config.signal["like"], 0.0, 1.0).sum())
        if len(rows) > config.max_songs:
            kept = np.sort(top_rows(np.abs(weights), config.max_songs))
            rows, weights = rows[kept], weights[kept]
        return cls(
            rows=rows,
            weights=weights,
            genres=np.unique(feedback.genres),
            artists=np.unique(feedback.artists),
            region=feedback.region,
            amount=amount,
            adjustments=feedback.adjustments,
            refused=_refused(rows, feedback, config),
        )

    def as_learned(self) -> Listener:
        """The same listener without adjustments; itself if there are none."""
        return self if self.adjustments.is_empty else self.once(_without_adjustments)

    def liking(self) -> Listener:
        """The same listener without negative feedback and adjustments; itself if there are none."""
        learned = self.as_learned()
        return learned if (self.weights >= 0).all() else learned.once(_without_dislikes)

    @classmethod
    def nobody(cls, region: int = NO_REGION) -> Listener:
        """A listener of whom only the region is known."""
        none = np.empty(0, dtype=np.int32)
        weights = np.empty(0, dtype=np.float32)
        return cls(rows=none, weights=weights, genres=none, artists=none, region=region, amount=0.0)

    @classmethod
    def of_one_track(cls, row: int) -> Listener:
        """A listener of whom only one track is known, for "similar songs"."""
        none = np.empty(0, dtype=np.int32)
        one = np.array([row], dtype=np.int32)
        return cls(rows=one, weights=np.ones(1, np.float32), genres=none, artists=none, region=NO_REGION, amount=1.0)


def _without_adjustments(listener: Listener) -> Listener:
    return replace(listener, adjustments=NO_ADJUSTMENTS)


def _without_dislikes(listener: Listener) -> Listener:
    liked = listener.weights >= 0
    return replace(listener, rows=listener.rows[liked], weights=listener.weights[liked], refused=None)


def signal_strength(kind: IntArray, count: FloatArray, config: EngineConfig) -> NDArray[np.float64]:
    """What observations of `kind` (int32[m]) that happened `count` times say, undecayed, in likes: float64[m].

    Repeats add by the logarithm, as in Hu, Koren & Volinsky (2008), equation 6.
    """
    return np.asarray(_by_kind(config.signal)[kind] * (1.0 + config.repeat_gain * np.log2(count)))


def decay(kind: IntArray, age_days: FloatArray, config: EngineConfig) -> NDArray[np.float64]:
    """What age has left of observations of `kind` (int32[m]) so many days old (float32[m]): float64[m] in 0..1."""
    return np.asarray(np.exp2(-age_days / _by_kind(config.half_life_days)[kind]))


def _by_kind(values: Mapping[str, float]) -> NDArray[np.float64]:
    return np.array([values[kind.name.lower()] for kind in FeedbackKind])


def _row_weights(feedback: Feedback, config: EngineConfig) -> tuple[IntArray, FloatArray]:
    value = signal_strength(feedback.kind, feedback.count, config) * decay(feedback.kind, feedback.age_days, config)
    disliked = feedback.rows[feedback.kind == FeedbackKind.DISLIKE]
    value[np.isin(feedback.rows, disliked) & (feedback.kind != FeedbackKind.DISLIKE)] = 0.0
    rows, inverse = np.unique(feedback.rows, return_inverse=True)
    _limit_skips(value, feedback.kind == FeedbackKind.SKIP, config.skip_share)
    summed = np.bincount(inverse, weights=value, minlength=len(rows))
    return rows, np.clip(summed, -config.max_row_weight, config.max_row_weight).astype(np.float32)


def _refused(rows: IntArray, feedback: Feedback, config: EngineConfig) -> FloatArray:
    """What age has left of the freshest skip or dislike of each of increasing `rows`, float32[len(rows)]."""
    told = np.flatnonzero(np.isin(feedback.kind, REFUSALS))
    told = told[np.isin(feedback.rows[told], rows)]
    left = np.zeros(len(rows), dtype=np.float32)
    fresh = decay(feedback.kind[told], feedback.age_days[told], config)
    np.maximum.at(left, np.searchsorted(rows, feedback.rows[told]), fresh.astype(np.float32))
    return left


def _limit_skips(value: NDArray[np.float64], skipped: BoolArray, share: float) -> None:
    """Scale skips down, in place, to at most `share` of what was liked; without any like they keep their value."""
    liked, held = float(value[value > 0].sum()), float(np.abs(value[skipped]).sum())
    if 0 < share * liked < held:
        value[skipped] *= share * liked / held
