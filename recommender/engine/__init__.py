"""The recommender without Django: arrays in, arrays and dataclasses out; numpy, scipy and scikit-learn only.

Everything outside enters the engine here, or, to measure recommenders, by `recommender.engine.evaluation`.
"""

from recommender.engine.config import EngineConfig
from recommender.engine.data import NO_REGION, UNKNOWN, Adjustments, Catalogue, Feedback, FeedbackKind, Interactions
from recommender.engine.data.arrays import (
    BoolArray,
    FloatArray,
    IdArray,
    IntArray,
    Sparse,
    as_float32,
    as_int32,
    csr,
    membership,
)
from recommender.engine.data.interaction_matrix import column_counts, weight_matrix
from recommender.engine.data.profile import FeedbackConfig, ListenerProfile, signal_strength
from recommender.engine.errors import (
    EngineError,
    InvalidDataError,
    ModelDamagedError,
    ModelFormatError,
    ModelMissingError,
    ModelStoreError,
)
from recommender.engine.fit import Fit, fit_model, with_retriever
from recommender.engine.fitting import FactorConfig, Factorisation, factorise
from recommender.engine.fitting.als import alternate, regularisation
from recommender.engine.fitting.imputation import estimate_features
from recommender.engine.fitting.solver import GramEigen, Observations, solve_rows
from recommender.engine.model import Model
from recommender.engine.ranking.exclusions import AllowedTracks
from recommender.engine.ranking.training import SecondStage, liked_lists
from recommender.engine.retrieval.config import RetrievalConfig
from recommender.engine.retrieval.index import Vectors
from recommender.engine.serving.expectation import LEAST_ANSWERS, AnswerModel, fit_answers
from recommender.engine.serving.explain import Reason
from recommender.engine.serving.impressions import Impressions
from recommender.engine.serving.mix import Mix, RankedSongs, by_taste, may_hear, mix, nearest, rank_songs
from recommender.engine.serving.path import track_path
from recommender.engine.serving.popular import most_popular
from recommender.engine.serving.probabilities import (
    JudgedPolicy,
    model_probabilities,
    popularity_probabilities,
    random_probabilities,
    song_features,
)
from recommender.engine.serving.recommend import PageItem, RecommendedPage, Request, recommend
from recommender.engine.serving.shelves import SHELVES, ShelfName, ShelvedPage, recommend_shelves
from recommender.engine.serving.similar import similar
from recommender.engine.store import listed_files, load_model, read_manifest, save_model
from recommender.engine.terms import TERMS, Cause, Progress, Stance, TermsConfig, no_progress
from recommender.engine.terms.artist import ArtistTerm
from recommender.engine.terms.collaborative import CollaborativeTerm
from recommender.engine.terms.genre import GenreTerm
from recommender.engine.update import update_model

__all__ = [
    "LEAST_ANSWERS",
    "NO_REGION",
    "SHELVES",
    "TERMS",
    "UNKNOWN",
    "Adjustments",
    "AllowedTracks",
    "AnswerModel",
    "ArtistTerm",
    "BoolArray",
    "Catalogue",
    "Cause",
    "CollaborativeTerm",
    "EngineConfig",
    "EngineError",
    "FactorConfig",
    "Factorisation",
    "Feedback",
    "FeedbackConfig",
    "FeedbackKind",
    "Fit",
    "FloatArray",
    "GenreTerm",
    "GramEigen",
    "IdArray",
    "Impressions",
    "IntArray",
    "Interactions",
    "InvalidDataError",
    "JudgedPolicy",
    "ListenerProfile",
    "Mix",
    "Model",
    "ModelDamagedError",
    "ModelFormatError",
    "ModelMissingError",
    "ModelStoreError",
    "Observations",
    "PageItem",
    "Progress",
    "RankedSongs",
    "Reason",
    "RecommendedPage",
    "Request",
    "RetrievalConfig",
    "SecondStage",
    "ShelfName",
    "ShelvedPage",
    "Sparse",
    "Stance",
    "TermsConfig",
    "Vectors",
    "alternate",
    "as_float32",
    "as_int32",
    "by_taste",
    "column_counts",
    "csr",
    "estimate_features",
    "factorise",
    "fit_answers",
    "fit_model",
    "liked_lists",
    "listed_files",
    "load_model",
    "may_hear",
    "membership",
    "mix",
    "model_probabilities",
    "most_popular",
    "nearest",
    "no_progress",
    "popularity_probabilities",
    "random_probabilities",
    "rank_songs",
    "read_manifest",
    "recommend",
    "recommend_shelves",
    "regularisation",
    "save_model",
    "signal_strength",
    "similar",
    "solve_rows",
    "song_features",
    "track_path",
    "update_model",
    "weight_matrix",
    "with_retriever",
]
