"""Implicit-feedback matrix factorisation: the solver, the fit, and factors of tracks that nobody has heard."""

from recommender.engine.fitting.als import ARTIST_PRIOR, FactorConfig, Factorisation, factorise, refresh, regularisation
from recommender.engine.fitting.cold_items import (
    artist_content,
    artist_item_matrix,
    cold_item_factors,
    embedding_lookup,
)
from recommender.engine.fitting.solver import FoldIn

__all__ = [
    "ARTIST_PRIOR",
    "FactorConfig",
    "Factorisation",
    "FoldIn",
    "artist_content",
    "artist_item_matrix",
    "cold_item_factors",
    "embedding_lookup",
    "factorise",
    "refresh",
    "regularisation",
]
