"""One small fitted model, shared by the tests that only read it."""

from __future__ import annotations

import numpy as np
import pytest

from recommender.engine import (
    Catalogue,
    EngineConfig,
    Feedback,
    FeedbackKind,
    Interactions,
    Model,
    TermsConfig,
    fit_model,
)
from recommender.engine.fitting import FactorConfig
from recommender.engine.ranking.config import RankingConfig
from recommender.tests.engine.build import feedback_of, random_catalogue, random_interactions


@pytest.fixture(scope="session")
def config() -> EngineConfig:
    return EngineConfig(
        terms=TermsConfig(region_min_listeners=5, factors=FactorConfig(factors=16)),
        ranking=RankingConfig(candidates=40, per_term=3, min_listeners=30, trees=20, min_leaf=10),
    )


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return random_catalogue()


@pytest.fixture(scope="session")
def interactions(catalogue: Catalogue) -> Interactions:
    return random_interactions(catalogue)


@pytest.fixture(scope="session")
def model(catalogue: Catalogue, interactions: Interactions, config: EngineConfig) -> Model:
    return fit_model(catalogue, interactions, config, np.random.default_rng(0), metadata={"note": "a test"})


@pytest.fixture
def feedback() -> Feedback:
    return feedback_of(
        (30, FeedbackKind.LIKE, 1, 2),
        (31, FeedbackKind.LIKE, 1, 400),
        (40, FeedbackKind.DISLIKE, 1, 0),
        (55, FeedbackKind.COMPLETED, 4, 60),
        (60, FeedbackKind.SKIP, 1, 45),
        genres=[1],
        artists=[5],
        region=1,
    )
