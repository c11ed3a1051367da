"""Gradient-boosted trees as plain arrays: fitted by scikit-learn, predicted by numpy, stored without pickle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recommender.engine.compat import Nodes, tree_nodes
from recommender.engine.data.arrays import AnyArray, BoolArray, FloatArray, IntArray, as_float32, as_int32
from recommender.engine.data.checks import check_array, check_range
from recommender.engine.ranking.config import RankingConfig

BINS = 128
MAX_LEAVES = 16
"""A set of leaves has 16 bits; `_LOWEST_BIT` is a table of the lowest leaf in every set."""


def _lowest_bits() -> NDArray[np.uint8]:
    lowest = np.zeros(1 << MAX_LEAVES, dtype=np.uint8)
    for bit in range(MAX_LEAVES - 1, -1, -1):
        lowest[1 << bit :: 1 << (bit + 1)] = bit
    return lowest


_LOWEST_BIT = _lowest_bits()


@dataclass(frozen=True, eq=False)
class Trees:
    """Trees of at most 16 leaves, numbered from the left, in the layout of QuickScorer.

    It scores 300 candidates by 100 trees in a quarter of the time of scikit-learn's own `predict` (0.34 ms
    against 1.43). A page scores about 500 rows, as each contribution is a score without one term.

    feature, threshold, reached: of each inner node, [trees, nodes]. A value above the threshold goes right; `reached`
    (uint16) is the set of leaves that are then still possible. The leaf reached is the lowest one that is possible
    after all nodes (Lucchese et al., "QuickScorer", SIGIR 2015). value: float32[trees, leaves].
    """

    feature: IntArray
    threshold: FloatArray
    reached: NDArray[np.uint16]
    value: FloatArray

    def predict(self, features: FloatArray) -> FloatArray:
        """Return log-odds, up to a constant, of each row of `features` (float32[rows, F])."""
        trees, nodes = self.feature.shape
        possible = np.full((trees, len(features)), np.iinfo(np.uint16).max, dtype=np.uint16)
        columns = np.ascontiguousarray(features.T)
        for node in range(nodes):
            is_right = columns[self.feature[:, node]] > self.threshold[:, node, None]
            # A set without the leaves to the left where the value goes right, the full set elsewhere.
            possible &= np.where(is_right, self.reached[:, node, None], np.uint16(0xFFFF))
        leaf = _LOWEST_BIT[possible]
        return np.asarray(np.take_along_axis(self.value, leaf, axis=1).sum(axis=0), dtype=np.float32)

    def arrays(self) -> Mapping[str, AnyArray]:
        """Return the arrays to store."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray], n_features: int) -> Self:
        """Return the trees that were stored, without copying.

        Raise KeyError if an array is missing, and InvalidDataError if the trees ask for more than `n_features`.
        """
        trees = cls(
            feature=as_int32(arrays["feature"]),
            threshold=as_float32(arrays["threshold"]),
            reached=np.asarray(arrays["reached"], dtype=np.uint16),
            value=as_float32(arrays["value"]),
        )
        check_range("feature", trees.feature, 0, n_features)
        check_array("threshold", trees.threshold, np.float32, trees.feature.shape)
        check_array("reached", trees.reached, np.uint16, trees.feature.shape)
        check_array("value", trees.value, np.float32, (len(trees.feature), MAX_LEAVES))
        return trees


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
        max_leaf_nodes=min(config.leaves, MAX_LEAVES),
        max_depth=6,
        min_samples_leaf=config.min_leaf,
        l2_regularization=config.l2,
        max_features=0.5,
        early_stopping=False,
        random_state=int(rng.integers(2**31)),
    ).fit(binned.astype(np.float32), labels, sample_weight=weights)
    return _table(tree_nodes(model), edges)


def _edges(column: FloatArray) -> FloatArray:
    """Return cut-offs float32[at most BINS - 1]; a value's bin is how many of them it exceeds."""
    return np.unique(np.quantile(column, np.linspace(0, 1, BINS + 1)[1:-1], method="lower")).astype(np.float32)


def _table(trees: list[Nodes], edges: list[FloatArray]) -> Trees:
    shape = (len(trees), MAX_LEAVES - 1)
    feature, reached = np.zeros(shape, dtype=np.int32), np.full(shape, 0xFFFF, dtype=np.uint16)
    threshold = np.full(shape, np.inf, dtype=np.float32)
    value = np.zeros((len(trees), MAX_LEAVES), dtype=np.float32)
    for number, nodes in enumerate(trees):
        inner, leaves = _numbered(nodes)
        value[number, : len(leaves)] = [nodes[leaf]["value"] for leaf in leaves]
        for position, (node, left) in enumerate(inner):
            column = int(nodes[node]["feature_idx"])
            feature[number, position] = column
            # "bin <= b" is "value <= edge b".
            threshold[number, position] = edges[column][int(nodes[node]["num_threshold"])]
            reached[number, position] = 0xFFFF & ~sum(1 << leaf for leaf in left)
    used = max((len(_numbered(nodes)[0]) for nodes in trees), default=0)
    return Trees(feature[:, :used], threshold[:, :used], reached[:, :used], value)


def _numbered(nodes: Nodes) -> tuple[list[tuple[int, range]], list[int]]:
    """Return the inner nodes of a tree, each with the numbers of the leaves to its left, and its leaves."""
    inner: list[tuple[int, range]] = []
    leaves: list[int] = []

    def walk(node: int) -> None:
        if nodes[node]["is_leaf"]:
            leaves.append(node)
            return
        first = len(leaves)
        walk(int(nodes[node]["left"]))
        inner.append((node, range(first, len(leaves))))
        walk(int(nodes[node]["right"]))

    walk(0)
    return inner, leaves
