"""Implicit-feedback matrix factorisation: the solver, the fit, and factors of tracks that nobody has heard."""

from recommender.engine.factors.als import Factorisation, factorise, refresh, regularisation
from recommender.engine.factors.content import artist_content, unheard_factors
from recommender.engine.factors.solver import fold_in, fold_in_shares

__all__ = [
    "Factorisation",
    "artist_content",
    "factorise",
    "fold_in",
    "fold_in_shares",
    "refresh",
    "regularisation",
    "unheard_factors",
]
