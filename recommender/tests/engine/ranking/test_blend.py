from __future__ import annotations

import numpy as np
import pytest

from recommender.engine import Feedback, Model
from recommender.engine.ranking.blend import BlendWeights, blend, standardise
from recommender.engine.ranking.config import BlendConfig
from recommender.engine.score import score


def test_weights_are_interpolated_over_the_logarithm_of_the_amount() -> None:
    weights = BlendWeights(amounts=(0.0, 3.0), weights={"artist": (0.0, 2.0)})
    assert [weights.at(amount)["artist"] for amount in (0.0, 1.0, 3.0, 99.0)] == pytest.approx([0.0, 1.0, 2.0, 2.0])


def test_standardise() -> None:
    scores = standardise(np.array([1, 2, 3, 4], dtype=np.float32), sqrt_transform=False)
    assert scores.mean() == pytest.approx(0.0, abs=1e-6)
    assert scores.std() == pytest.approx(1.0, abs=1e-6)


def test_standardise_takes_the_signed_root_of_a_heavy_tail() -> None:
    scores = standardise(np.array([-4, -1, 1, 4], dtype=np.float32), sqrt_transform=True)
    np.testing.assert_allclose(scores, np.array([-2, -1, 1, 2]) / np.sqrt(2.5), rtol=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.1, 5.0])
def test_a_term_without_an_opinion_is_silent(value: float) -> None:
    assert not standardise(np.full(9, value, dtype=np.float32), sqrt_transform=False).any()


def test_contributions_add_up_to_the_score(model: Model, feedback: Feedback) -> None:
    scores = score(model, model.listener(feedback))
    assert set(scores.parts) == set(model.terms)
    for row in range(model.catalogue.n_tracks):
        assert sum(scores.contributions(row).values()) == pytest.approx(float(scores.total[row]), abs=1e-5)


def test_contributions_are_weight_times_standard_score(model: Model, feedback: Feedback) -> None:
    listener = model.listener(feedback)
    scores = score(model, listener)
    weights = model.weights.at(listener.evidence)
    for name, term in model.terms.items():
        expected = weights[name] * standardise(term.score(listener), term.sqrt_transform)
        np.testing.assert_allclose(scores.parts[name], expected, rtol=1e-5, atol=1e-6)


def test_a_term_can_be_left_out(model: Model, feedback: Feedback) -> None:
    scores = score(model, model.listener(feedback), left_out=["artist", "genre"])
    assert set(scores.parts) == set(model.terms) - {"artist", "genre"}


def test_nothing_left_is_an_error(model: Model, feedback: Feedback) -> None:
    with pytest.raises(ValueError, match="no term has a weight"):
        blend(model.terms, {}, model.listener(feedback))


def test_without_feedback_only_popularity_has_an_opinion(model: Model) -> None:
    scores = score(model, model.listener(Feedback()))
    assert [name for name, part in scores.parts.items() if part.any()] == ["popularity"]


def test_the_prior_weighs_every_registered_term(model: Model) -> None:
    assert set(BlendWeights.prior(BlendConfig()).weights) == set(model.terms)
