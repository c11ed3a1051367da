"""A model that an earlier release wrote still opens, and ranks as it did before.

`stored/model.tar.xz` was fitted on 30 invented songs and 60 invented listeners; `stored/scores.json` holds what eight
listeners were given. On the machine that wrote them the scores are the same to the last digit. Elsewhere the linear
algebra may add up in another order, hence the tolerance; the order of the songs is exact. After a change that is meant
to alter scores, `stored/rescore.py` writes them anew.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from recommender.engine import Model
from recommender.tests.engine.stored.rescore import SCORES, open_stored, scores_of

# Scores are sums of terms in single precision, whose last digit is 4e-6 where a term is larger than 32.
RELATIVE, ABSOLUTE = 1e-5, 1e-5
LISTENERS: list[dict[str, Any]] = json.loads(SCORES.read_text())


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return open_stored(tmp_path_factory.mktemp("stored"))


def test_has_all_that_was_fitted(stored: Model) -> None:
    assert list(stored.terms) == [
        "artist",
        "album",
        "genre",
        "audio",
        "mainstream",
        "popularity",
        "collaborative",
        "item_to_item",
        "era",
        "preference",
    ]
    assert stored.ranker is not None
    assert stored.ranker.weight == pytest.approx(2 / 3)


@pytest.mark.parametrize("listener", LISTENERS, ids=lambda listener: f"{len(listener['rows'])} songs")
def test_scores_and_page_are_as_before(stored: Model, listener: dict[str, Any]) -> None:
    actual = scores_of(stored, listener)
    np.testing.assert_allclose(actual["first_stage"], listener["first_stage"], rtol=RELATIVE, atol=ABSOLUTE)
    np.testing.assert_allclose(actual["ranked_scores"], listener["ranked_scores"], rtol=RELATIVE, atol=ABSOLUTE)
    assert actual["ranked_rows"] == listener["ranked_rows"]
    assert actual["page"] == listener["page"]
