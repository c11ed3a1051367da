"""The private part of scikit-learn that the engine reads, in one place.

`recommender/tests/engine/test_compat.py` names the versions it was tried with, and fails where it has changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier


Nodes: TypeAlias = "np.ndarray[tuple[int], np.dtype[np.void]]"
"""Nodes of one tree, the root first, with the fields NODE_FIELDS."""
NODE_FIELDS = ("is_leaf", "left", "right", "feature_idx", "num_threshold", "value")


def tree_nodes(model: HistGradientBoostingClassifier) -> list[Nodes]:
    """Return the nodes of each tree of a fitted classifier of two classes; scikit-learn has no public way to them."""
    stages: Any = model._predictors
    return [stage[0].nodes for stage in stages]
