"""The recommender without Django: arrays in, arrays and dataclasses out; numpy, scipy and scikit-learn only."""

from recommender.engine.config import EngineConfig
from recommender.engine.data import Adjustments, Catalogue, Feedback, FeedbackKind, Interactions
from recommender.engine.errors import (
    EngineError,
    InvalidDataError,
    ModelDamagedError,
    ModelFormatError,
    ModelMissingError,
    ModelStoreError,
)
from recommender.engine.estimates import estimate_features
from recommender.engine.explain import Reason
from recommender.engine.model import Model, fit_model, with_shortlist
from recommender.engine.recommend import Page, Recommendation, Request, recommend, similar
from recommender.engine.store import listed_files, load_model, read_manifest, save_model
from recommender.engine.terms import Cause
from recommender.engine.update import update_model

__all__ = [
    "Adjustments",
    "Catalogue",
    "Cause",
    "EngineConfig",
    "EngineError",
    "Feedback",
    "FeedbackKind",
    "Interactions",
    "InvalidDataError",
    "Model",
    "ModelDamagedError",
    "ModelFormatError",
    "ModelMissingError",
    "ModelStoreError",
    "Page",
    "Reason",
    "Recommendation",
    "Request",
    "estimate_features",
    "fit_model",
    "listed_files",
    "load_model",
    "read_manifest",
    "recommend",
    "save_model",
    "similar",
    "update_model",
    "with_shortlist",
]
