import numpy as np
import pytest

from benchmarks.accuracy.leave_one_out import SCALAR, WHOLE, Fitted, config_of, print_table
from recommender.engine import EngineConfig, FactorConfig, Feedback, fit_model
from recommender.engine.fitting.implicit_negatives import PreferenceConfig
from recommender.engine.rank import rank
from recommender.engine.ranking.config import RankingConfig
from recommender.engine.terms import TermsConfig
from recommender.tests.engine.build import random_catalogue, random_interactions

SMALL = EngineConfig(
    ranking=RankingConfig(candidates=40, per_term=3, min_listeners=30, queries=60, trees=10, min_leaf=10),
    terms=TermsConfig(
        factors=FactorConfig(factors=8),
        preference=PreferenceConfig(n_iterations=2, implicit_negative_weights=(1.0,)),
    ),
)


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    catalogue = random_catalogue()
    return Fitted.of(catalogue, random_interactions(catalogue), SMALL, np.random.default_rng(3))


@pytest.mark.parametrize("variant", ["preference", SCALAR])
def test_a_variant_is_the_model_that_a_fit_of_its_own_makes(fitted: Fitted, variant: str) -> None:
    catalogue = random_catalogue()
    interactions = random_interactions(catalogue)
    config = config_of(variant, SMALL)
    anew = fit_model(catalogue, interactions, config, np.random.default_rng(3))
    cheap = fitted.model(config)
    assert cheap.ranker is not None
    assert cheap.config == anew.config
    assert (cheap.weights, cheap.content_weights) == (anew.weights, anew.content_weights)
    allowed = np.ones(catalogue.n_tracks, dtype=np.bool_)
    likes = Feedback.likes(np.array([3, 17, 60], dtype=np.int32))
    actual, expected = (rank(model, model.listener(likes), allowed) for model in (cheap, anew))
    np.testing.assert_array_equal(actual.total, expected.total)


def test_scalar_weights_have_one_amount_with_the_mean_of_each_curve() -> None:
    config = config_of(SCALAR, EngineConfig())
    assert config.blend.amounts == (0.0,)
    assert config.blend.term_weights["collaborative"] == (2.0,)
    assert config.blend.term_weights["album"] == pytest.approx([0.46])


def test_the_table_has_the_whole_model_and_paired_differences(capsys: pytest.CaptureFixture[str]) -> None:
    # Whoever is drawn, the difference of two scorers a constant apart is that constant.
    whole = np.array([0.25, 0.5, 0.75])
    measured = [(WHOLE, {"5": whole}), ("ease", {"5": whole - 0.125}), (SCALAR, {"5": whole + 0.0625})]
    print_table("lists, seed 0", measured, 0)
    assert capsys.readouterr().out.splitlines() == [
        "",
        "### lists, seed 0",
        "",
        "|  | 5 (3 people) |",
        "| --- | --- |",
        "| whole model | 0.500 (0.250-0.750) |",
        "| without `ease` | -0.125 (-0.125 to -0.125) |",
        "| scalar weights | +0.062 (+0.062 to +0.062) |",
    ]
