"""A way from one song to another keeps the rules of a page."""

from __future__ import annotations

import numpy as np
import pytest

from recommender.engine import Catalogue, InvalidDataError, Model
from recommender.engine.serving.path import track_path


def test_rules_of_a_page_hold_on_the_way(model: Model, catalogue: Catalogue) -> None:
    rows = track_path(model, 3, 90, 20)
    assert len(rows) == 20
    recordings = catalogue.recording[np.append(rows, [3, 90])]
    assert len(np.unique(recordings)) == 22
    credited = np.concatenate([catalogue.artists_at(int(row)) for row in rows])
    assert np.bincount(credited).max() <= model.config.page.max_per_artist


def test_ends_outside_the_catalogue_are_refused(model: Model) -> None:
    with pytest.raises(InvalidDataError, match="start and goal"):
        track_path(model, 0, model.catalogue.n_tracks, 3)
