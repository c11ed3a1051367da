"""The second stage as it is used: scores of the candidates, and what each term contributes to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from recommender.engine.arrays import FloatArray, IntArray
from recommender.engine.blend import Scores
from recommender.engine.ranking.features import Features
from recommender.engine.ranking.trees import Trees

TOGETHER = "together"
"""Name of what no single term contributes: how the terms act together, and what the ranker knows besides them."""


@dataclass(frozen=True, eq=False)
class Ranker:
    """score = (1 - share) * blend + share * (trees + what negative feedback takes off); share in 0..1.

    The trees have learned from likes only and see what the terms say of the liked songs. What dislikes and skips take
    off a term is subtracted from their opinion with the weight of the blend, so that it is never lost; so is what the
    listener turned down, and what was turned up is added.
    """

    trees: Trees
    share: float

    def after(self, amount: float) -> Ranker:
        """The ranker for a listener with that much feedback, in likes: of less than one like it has seen nothing."""
        return self if amount >= 1.0 else replace(self, share=self.share * max(amount, 0.0))

    def scores(
        self, opinion: FloatArray, signed: Mapping[str, FloatArray], taken: Mapping[str, FloatArray]
    ) -> FloatArray:
        """Final scores of all candidates, float32[c]. opinion: of the trees, float32[c]; signed: the blend's parts;
        taken: see `taken_off`.
        """
        blended = _total(signed, len(opinion))
        ranked = opinion + _total(taken, len(opinion))
        return np.asarray((1.0 - self.share) * blended + self.share * ranked, dtype=np.float32)

    def contributions(
        self,
        features: Features,
        signed: Mapping[str, FloatArray],
        taken: Mapping[str, FloatArray],
        places: IntArray,
    ) -> dict[str, FloatArray]:
        """What each term contributes to some candidates, float32[len(places)]: what the score loses without it.

        The rest of the score stands under TOGETHER.
        """
        names = list(signed)
        stacked = [features.values[places], *(features.without(name, places) for name in names)]
        opinion = self.trees.predict(np.concatenate(stacked)).reshape(len(stacked), len(places))
        return {
            name: _mixed(self.share, signed[name][places], opinion[0] - without + taken[name][places])
            for name, without in zip(names, opinion[1:], strict=True)
        }


def taken_off(signed: Scores, positive: Scores, rows: IntArray) -> dict[str, FloatArray]:
    """What negative feedback takes off each term's part of `rows`: <= 0 where it lowers, float32[c] each; what the
    listener adjusted comes with it.

    In deviations of what the liked songs say, so that a dislike does not make the likes count less.
    """
    taken = {}
    signed_places, positive_places = signed.places(rows), positive.places(rows)
    for name, weight in signed.weights.items():
        deviation = positive.scales[name][1] or signed.scales[name][1] or 1.0
        difference = signed.plain[name][signed_places] - positive.plain[name][positive_places]
        taken[name] = difference * np.float32(weight / deviation)
    return taken


def _mixed(share: float, blended: FloatArray, ranked: FloatArray) -> FloatArray:
    return np.asarray((1.0 - share) * blended + share * ranked, dtype=np.float32)


def _total(parts: Mapping[str, FloatArray], length: int) -> FloatArray:
    total = np.zeros(length, dtype=np.float32)
    for part in parts.values():
        total += part
    return total
