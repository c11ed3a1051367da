"""A new term is one class and one line in the registry."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pytest

from recommender.engine import EngineConfig, Feedback, Interactions, fit_model, load_model, save_model
from recommender.engine.data import Catalogue
from recommender.engine.data.arrays import AnyArray, FloatArray, IntArray, as_float32
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.score import score
from recommender.engine.terms import TERMS
from recommender.engine.terms.base import Cause, LinearTerm, Progress, TermsConfig, Weight
from recommender.tests.engine.build import make_catalogue


class LengthTerm(LinearTerm):
    """Prefers long songs, whoever listens."""

    name: ClassVar[str] = "length"
    label: ClassVar[str] = "Long songs"
    default_weight: ClassVar[Weight] = (0.0, 5.0, 5.0, 5.0, 5.0)
    similar_weight: ClassVar[float] = 0.5
    sqrt_transform: ClassVar[bool] = False
    is_collaborative: ClassVar[bool] = False

    def __init__(self, minutes: AnyArray) -> None:
        self._minutes = as_float32(minutes)

    @classmethod
    def fit(
        cls,
        catalogue: Catalogue,
        interactions: Interactions,
        config: TermsConfig,
        rng: np.random.Generator,
        progress: Progress,
    ) -> Self:
        return cls(np.nan_to_num(catalogue.features[:, 0]))

    def user_vector(self, listener: ListenerProfile) -> FloatArray:
        return np.ones(1, dtype=np.float32)

    def item_vectors(self, rows: IntArray) -> FloatArray:
        return self._minutes[rows, None]

    def score_all(self, listener: ListenerProfile) -> FloatArray:
        return self._minutes.copy()

    def explain(self, listener: ListenerProfile, rows: IntArray, limit: int | None = None) -> list[list[Cause]]:
        return [[Cause("catalogue", -1, float(self._minutes[row]))] for row in rows]

    def arrays(self) -> Mapping[str, AnyArray]:
        return {"minutes": self._minutes}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray], catalogue: Catalogue, config: TermsConfig) -> Self:
        return cls(arrays["minutes"])


def test_a_registered_term_is_fitted_weighed_and_stored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(TERMS, LengthTerm.name, LengthTerm)
    minutes = np.array([[3.0], [4.0], [9.0], [2.0]], dtype=np.float32)
    catalogue = make_catalogue([[0], [1], [2], [3]], features=minutes, feature_columns=("minutes",))
    config = EngineConfig()
    assert config.blend.term_weights["length"] == LengthTerm.default_weight
    assert config.blend.similar_weights["length"] == 0.5
    model = fit_model(catalogue, Interactions.empty(), config, np.random.default_rng(0))
    save_model(model, tmp_path / "1")
    for fitted in (model, load_model(tmp_path / "1")):
        scores = score(fitted, fitted.listener(Feedback.likes([0])))
        assert scores.raw["length"].tolist() == [3.0, 4.0, 9.0, 2.0]
        assert int(np.argmax(scores.total)) == 2
