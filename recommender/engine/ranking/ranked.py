"""One listener's tracks in final order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recommender.engine.data.arrays import BoolArray, FloatArray, IntArray
from recommender.engine.ranking.blend import Scores
from recommender.engine.ranking.exclusions import AllowedTracks, allowed_mask
from recommender.engine.ranking.features import Features
from recommender.engine.ranking.ranker import INTERACTIONS, Ranker


@dataclass(frozen=True, eq=False)
class RankerView:
    """What the ranker knows of the candidates.

    opinion: float32[c], of the trees. features: after the liked songs. blend_parts: each term's part of the blend,
    float32[c]. negative_adjustment: what negative feedback takes off each term, float32[c].
    """

    ranker: Ranker
    opinion: FloatArray
    features: Features
    blend_parts: Mapping[str, FloatArray]
    negative_adjustment: Mapping[str, FloatArray]

    def scores(self) -> FloatArray:
        """Return the final scores of the candidates, float32[c]."""
        return self.ranker.scores(self.opinion, self.blend_parts, self.negative_adjustment)

    def contributions(self, positions: IntArray) -> list[dict[str, float]]:
        """Return what each term contributes to the score of some candidates."""
        by_term = self.ranker.contributions(self.features, self.blend_parts, self.negative_adjustment, positions)
        return _by_row(by_term, len(positions))


@dataclass(frozen=True, eq=False)
class RankedCandidates:
    """Candidates in final order, with the scores behind that order.

    rows: int32[c], best first; scores: float32[c]. first_stage: scores of all tracks, or of those that were retrieved.
    allowed_tracks: what may be recommended. view: how the candidates were ranked; None where the blend ranks them.
    order: int32[c], position in `view` of each of `rows`. score_all: scores all tracks, for the rare question about one
    that was not retrieved.
    """

    rows: IntArray
    scores: FloatArray
    first_stage: Scores
    allowed_tracks: BoolArray | AllowedTracks
    view: RankerView | None
    order: IntArray
    score_all: Callable[[], Scores]

    @cached_property
    def allowed(self) -> BoolArray:
        """Return what may be recommended, bool[n]."""
        return allowed_mask(self.allowed_tracks)

    @cached_property
    def all_scores(self) -> Scores:
        """Return the first-stage scores of all tracks."""
        return self.first_stage if self.first_stage.rows_scored is None else self.score_all()

    @cached_property
    def total(self) -> FloatArray:
        """Return scores of all tracks, float32[n]: the candidates' own, all others behind them in the blend's order."""
        total = self.all_scores.total
        if self.view is None:
            return total
        total = total + np.float32(self._offset_of_others)
        total[self.rows] = self.scores
        return total

    @cached_property
    def _offset_of_others(self) -> float:
        """Return what puts every other track behind the last candidate."""
        if self.view is None or not len(self.scores):
            return 0.0
        return float(self.scores.min()) - float(self.all_scores.total.max()) - 1.0

    def contributions(self, rows: IntArray) -> list[dict[str, float]]:
        """Return what each term contributes to the score of each row; the values add up to it.

        Where the candidates were ranked, a term's contribution is what the score loses when the term is neutral, and
        INTERACTIONS is what no single term accounts for.
        """
        position_of = {int(row): position for position, row in enumerate(self.rows)}
        positions = [position_of.get(int(row), -1) for row in rows]
        if self.view is None:
            scores = self.first_stage if min(positions, default=0) >= 0 else self.all_scores
            return _by_row(scores.parts_at(rows), len(rows))
        candidates = np.array([position for position in positions if position >= 0], dtype=np.int32)
        by_ranker = iter(self.view.contributions(self.order[candidates]))
        contributions = []
        for row, position in zip(rows, positions, strict=True):
            by_term = next(by_ranker) if position >= 0 else self.all_scores.contributions(int(row))
            rest = float(self.scores[position]) - sum(by_term.values()) if position >= 0 else self._offset_of_others
            contributions.append(by_term | {INTERACTIONS: rest})
        return contributions


def _by_row(by_term: Mapping[str, FloatArray], length: int) -> list[dict[str, float]]:
    """Return values by term (float32[length] each) as values by row."""
    columns = {name: values.tolist() for name, values in by_term.items()}
    return [{name: column[position] for name, column in columns.items()} for position in range(length)]
