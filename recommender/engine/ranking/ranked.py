"""One listener's tracks in final order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recommender.engine.arrays import BoolArray, FloatArray, IntArray
from recommender.engine.blend import Scores
from recommender.engine.page import Allowed, mask_of
from recommender.engine.ranking.features import Features
from recommender.engine.ranking.ranker import TOGETHER, Ranker

ANSWERS = "answers"
"""Name of what likes and skips together contribute, beside the terms."""


@dataclass(frozen=True, eq=False)
class Second:
    """The second stage's view of the candidates. features: of the liked songs; taken: by negative feedback; answers:
    float32[c], added to the ranker's scores by likes and skips together.
    """

    ranker: Ranker
    features: Features
    signed: Mapping[str, FloatArray]
    taken: Mapping[str, FloatArray]
    answers: FloatArray


@dataclass(frozen=True, eq=False)
class Ranked:
    """rows: int32[c], candidates, best first; scores: float32[c], theirs; base: first-stage scores of all tracks, or of
    a shortlist that holds the candidates.

    admitted: what may be shown. second: how the candidates were ranked, None where that is the blend itself. score_all:
    the first stage of all tracks, for the rare question about one that is not on the shortlist; None: that is `base`.
    """

    rows: IntArray
    scores: FloatArray
    base: Scores
    admitted: BoolArray | Allowed
    second: Second | None
    order: IntArray
    """int32[c]: place in `second` of each of `rows`."""
    score_all: Callable[[], Scores] | None = None

    @cached_property
    def allowed(self) -> BoolArray:
        """What may be shown, bool[n]."""
        return mask_of(self.admitted)

    @cached_property
    def answers(self) -> FloatArray:
        """What likes and skips together add to each of `scores`, float32[c]."""
        return np.zeros_like(self.scores) if self.second is None else self.second.answers[self.order]

    @cached_property
    def whole(self) -> Scores:
        """First-stage scores of all tracks."""
        return self.score_all() if self.score_all else self.base

    @cached_property
    def total(self) -> FloatArray:
        """Scores of all tracks, float32[n]: the candidates' own, all others behind them in the order of the blend."""
        total = self.whole.total
        if self.second is None:
            return total
        total = total + np.float32(self._behind)
        total[self.rows] = self.scores
        return total

    @cached_property
    def _behind(self) -> float:
        """What puts every other track behind the last candidate."""
        if self.second is None or not len(self.scores):
            return 0.0
        return float(self.scores.min()) - float(self.whole.total.max()) - 1.0

    def contributions(self, rows: IntArray) -> list[dict[str, float]]:
        """What each term contributes to the score of each row; the values add up to it.

        Where the candidates were ranked, a term's contribution is what the score loses when the term is neutral, and
        TOGETHER is what no single term accounts for.
        """
        place_of = {int(row): place for place, row in enumerate(self.rows)}
        places = [place_of.get(int(row), -1) for row in rows]
        if self.second is None:
            scores = self.base if min(places, default=0) >= 0 else self.whole
            return _by_row(scores.parts_at(rows), len(rows))
        among = np.array([place for place in places if place >= 0], dtype=np.int32)
        ranked = iter(self._second_contributions(self.second, self.order[among]))
        found = []
        for row, place in zip(rows, places, strict=True):
            single = next(ranked) if place >= 0 else self.whole.contributions(int(row))
            rest = float(self.scores[place]) - sum(single.values()) if place >= 0 else self._behind
            found.append(single | {TOGETHER: rest})
        return found

    @staticmethod
    def _second_contributions(second: Second, places: IntArray) -> list[dict[str, float]]:
        found = second.ranker.contributions(second.features, second.signed, second.taken, places)
        if second.answers.any():
            found[ANSWERS] = second.answers[places]
        return _by_row(found, len(places))


def _by_row(by_term: Mapping[str, FloatArray], length: int) -> list[dict[str, float]]:
    """Values by term (float32[length] each) as values by row."""
    columns = {name: values.tolist() for name, values in by_term.items()}
    return [{name: column[place] for name, column in columns.items()} for place in range(length)]
