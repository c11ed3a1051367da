"""The private part of scikit-learn that the ranker's trees are read from."""

from __future__ import annotations

import numpy as np
import sklearn
from sklearn.ensemble import HistGradientBoostingClassifier

from recommender.engine.compat import NODE_FIELDS, tree_nodes

TRIED = ("1.9",)
"""Versions that `test_predict_what_scikit_learn_does` passed with; after an upgrade run it, then add the new one."""


def test_the_version_was_tried() -> None:
    assert sklearn.__version__.startswith(tuple(f"{version}." for version in TRIED))


def test_nodes_have_the_fields_that_are_read() -> None:
    values = np.arange(40, dtype=np.float32)[:, None]
    model = HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=5, early_stopping=False).fit(
        values, values[:, 0] > 20
    )
    trees = tree_nodes(model)
    assert len(trees) == 3
    for nodes in trees:
        assert set(NODE_FIELDS) <= set(nodes.dtype.names or ())
        root, left = nodes[0], nodes[int(nodes[0]["left"])]
        assert not root["is_leaf"]
        assert left["is_leaf"]
        # The cut lies between 20 and 21, and songs above it are liked.
        assert left["value"] < nodes[int(root["right"])]["value"]
