"""Gradient-boosted trees as plain arrays: fitted by scikit-learn, predicted by numpy, stored without pickle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from recommender.engine.arrays import AnyArray, BoolArray, FloatArray, IntArray, as_float32, as_int32
from recommender.engine.config import RankingConfig

BINS = 128


@dataclass(frozen=True, eq=False)
class Trees:
    """All trees in one table of nodes; a leaf points at itself, so that every walk takes exactly `depth` steps.

    roots: int32[trees]; feature, threshold, value: [nodes]; children: int32[2 * nodes], 2 i if value <= threshold, else
    2 i + 1; depth: int32[1].
    """

    roots: IntArray
    feature: IntArray
    threshold: FloatArray
    children: IntArray
    value: FloatArray
    depth: IntArray

    def predict(self, features: FloatArray) -> FloatArray:
        """Log-odds, up to a constant, of each row of `features` (float32[rows, F])."""
        rows, width = features.shape
        flat = np.ascontiguousarray(features).ravel()
        base = (np.arange(rows, dtype=np.int32) * np.int32(width))[:, None]
        node = np.broadcast_to(self.roots, (rows, len(self.roots)))
        for _ in range(int(self.depth[0])):
            above = flat.take(base + self.feature.take(node)) > self.threshold.take(node)
            node = self.children.take(2 * node + above)
        return np.asarray(self.value.take(node).sum(axis=1), dtype=np.float32)

    def arrays(self) -> Mapping[str, AnyArray]:
        """What has to be stored."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """The inverse of `arrays`, without copying. Raises KeyError if one is missing."""
        whole = {name: as_int32(arrays[name]) for name in ("roots", "feature", "children", "depth")}
        return cls(threshold=as_float32(arrays["threshold"]), value=as_float32(arrays["value"]), **whole)


def fit_trees(
    features: FloatArray, labels: BoolArray, weights: FloatArray, config: RankingConfig, rng: np.random.Generator
) -> Trees:
    """Boost the log-loss of weighted examples: features float32[m, F], labels bool[m], weights float32[m]."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    # scikit-learn's own binning of weighted floats takes several times as long as everything else.
    edges = [_edges(column) for column in features.T]
    binned = np.stack([np.searchsorted(e, column) for e, column in zip(edges, features.T, strict=True)], axis=1)
    model = HistGradientBoostingClassifier(
        max_iter=config.trees,
        learning_rate=config.learning_rate,
        max_leaf_nodes=config.leaves,
        max_depth=6,
        min_samples_leaf=config.min_leaf,
        l2_regularization=config.l2,
        max_features=0.5,
        early_stopping=False,
        random_state=int(rng.integers(2**31)),
    ).fit(binned.astype(np.float32), labels, sample_weight=weights)
    return _table([stage[0].nodes for stage in model._predictors], edges)


def _edges(column: FloatArray) -> FloatArray:
    """Cut-offs float32[at most BINS - 1]: a value's bin is how many of them it exceeds."""
    return np.unique(np.quantile(column, np.linspace(0, 1, BINS + 1)[1:-1], method="lower")).astype(np.float32)


def _table(trees: list[np.ndarray[tuple[int], np.dtype[np.void]]], edges: list[FloatArray]) -> Trees:
    sizes = np.array([len(tree) for tree in trees])
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    nodes = np.concatenate(trees)
    own, offset = np.arange(len(nodes)), np.repeat(roots, sizes)
    leaf = nodes["is_leaf"].astype(bool)
    left = np.where(leaf, own, nodes["left"].astype(np.int64) + offset)
    right = np.where(leaf, own, nodes["right"].astype(np.int64) + offset)
    feature = np.where(leaf, 0, nodes["feature_idx"]).astype(np.int32)
    # "bin <= b" is "value <= edge b".
    cut = [
        np.inf if is_leaf else edges[column][int(threshold)]
        for is_leaf, column, threshold in zip(leaf, feature, nodes["num_threshold"], strict=True)
    ]
    return Trees(
        roots=as_int32(roots),
        feature=feature,
        threshold=as_float32(cut),
        children=as_int32(np.stack([left, right], axis=1).ravel()),
        value=as_float32(np.where(leaf, nodes["value"], 0.0)),
        depth=as_int32([nodes["depth"].max()]),
    )
