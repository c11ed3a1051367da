"""The second stage in use: final scores of the candidates, and what each term contributes to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit

from recommender.engine.data.arrays import BoolArray, FloatArray, IntArray
from recommender.engine.data.statistics import score_std
from recommender.engine.ranking.blend import Scores
from recommender.engine.ranking.config import RankingConfig
from recommender.engine.ranking.features import Features
from recommender.engine.ranking.trees import Trees

MIN_CHANCE_STD = 1e-9
"""Below it all chances count as equal."""
INTERACTIONS = "together"
"""Name of what no single term contributes: how the terms interact, and what the ranker knows besides them."""


@dataclass(frozen=True, eq=False)
class Ranker:
    """score = (1 - weight) * blend + weight * (trees + negative adjustment), with `weight` in 0..1.

    The trees learned from likes only, and see the terms' scores after the liked songs. What dislikes and skips take off
    a term is added with the weight of the blend, so that it is never lost, and so is what the listener adjusted.
    """

    trees: Trees
    weight: float

    def for_evidence(self, evidence: float) -> Ranker:
        """Return the ranker for a listener with that much feedback, in likes.

        It was never trained on listeners with less than one like, so its weight fades in below that.
        """
        return self if evidence >= 1.0 else replace(self, weight=self.weight * max(evidence, 0.0))

    def scores(
        self, opinion: FloatArray, blend_parts: Mapping[str, FloatArray], adjustments: Mapping[str, FloatArray]
    ) -> FloatArray:
        """Return the final scores of all candidates, float32[c].

        opinion: of the trees, float32[c]; blend_parts: each term's part of the blend; adjustments: see
        `negative_adjustment`.
        """
        blended = _total(blend_parts, len(opinion))
        ranked = opinion + _total(adjustments, len(opinion))
        return self._mixed(blended, ranked)

    def contributions(
        self,
        features: Features,
        blend_parts: Mapping[str, FloatArray],
        adjustments: Mapping[str, FloatArray],
        positions: IntArray,
    ) -> dict[str, FloatArray]:
        """Return what the score of some candidates loses without each term, float32[len(positions)].

        The rest of the score is what INTERACTIONS stands for.
        """
        names = list(blend_parts)
        stacked = [features.values[positions], *(features.without(name, positions) for name in names)]
        opinion = self.trees.predict(np.concatenate(stacked)).reshape(len(stacked), len(positions))
        return {
            name: self._mixed(blend_parts[name][positions], opinion[0] - without + adjustments[name][positions])
            for name, without in zip(names, opinion[1:], strict=True)
        }

    def _mixed(self, blended: FloatArray, ranked: FloatArray) -> FloatArray:
        return np.asarray((1.0 - self.weight) * blended + self.weight * ranked, dtype=np.float32)


def negative_adjustment(signed: Scores, positive: Scores, rows: IntArray) -> dict[str, FloatArray]:
    """Return what negative feedback and adjustments add to each term's part of `rows`, float32[c]; mostly <= 0.

    signed, positive: scores with all feedback, and with the likes alone. The unit is the deviation of the latter, so
    that a dislike does not make the likes count less.
    """
    adjustments = {}
    signed_positions, positive_positions = signed.positions_of(rows), positive.positions_of(rows)
    for name, weight in signed.weights.items():
        deviation = positive.scales[name][1] or signed.scales[name][1] or 1.0
        difference = signed.raw[name][signed_positions] - positive.raw[name][positive_positions]
        adjustments[name] = difference * np.float32(weight / deviation)
    return adjustments


def preference_adjustment(
    log_odds: FloatArray, known: BoolArray, by_likes: FloatArray, n_negatives: float, config: RankingConfig
) -> FloatArray:
    """Return what the preference term adds for listeners with negative feedback: float32[c].

    The trees learned from likes only. The chances of a like are standardised over the candidates and scaled to the
    deviation of their scores; the weight grows with the amount of negative feedback. log_odds: of each candidate.
    known: bool[c], whether anybody rated it; items without any rating get 0, and the weight is small where most of the
    best candidates are such. by_likes: scores of the candidates by the likes alone.
    """
    added = np.zeros_like(by_likes)
    best = np.argsort(-by_likes, kind="stable")
    usual = np.zeros(len(by_likes), dtype=np.bool_)
    # Widening the candidates must not change how much is added.
    usual[best[: config.candidates]] = True
    chance = expit(log_odds)
    usual_chance = chance[known & usual]
    deviation = score_std(usual_chance)
    if deviation < MIN_CHANCE_STD:
        return added
    unit = score_std(by_likes[best[: config.candidates]])
    saturation = n_negatives / (n_negatives + config.half_negatives)
    coverage = float(known[best[: config.coverage_top_n]].mean())
    weight = config.negatives_weight * saturation * unit * coverage**2
    added[known] = (chance[known] - usual_chance.mean()) * np.float32(weight / deviation)
    return added


def _total(parts: Mapping[str, FloatArray], length: int) -> FloatArray:
    total = np.zeros(length, dtype=np.float32)
    for part in parts.values():
        total += part
    return total
