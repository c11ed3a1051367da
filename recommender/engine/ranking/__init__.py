"""Two stages: candidates by the blend of the terms, then a learned ranker over what the terms say of them."""

from recommender.engine.ranking.attributes import TrackAttributes
from recommender.engine.ranking.candidates import candidate_rows
from recommender.engine.ranking.features import Features, FeatureSchema, candidate_features
from recommender.engine.ranking.ranker import Ranker
from recommender.engine.ranking.trees import Trees, fit_trees

__all__ = [
    "FeatureSchema",
    "Features",
    "Ranker",
    "TrackAttributes",
    "Trees",
    "candidate_features",
    "candidate_rows",
    "fit_trees",
]
