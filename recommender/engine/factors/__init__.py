"""Implicit-feedback matrix factorisation: the solver, the fit, and factors of tracks that nobody has heard."""

from recommender.engine.factors.als import Factorisation, factorise, refresh, regularisation
from recommender.engine.factors.content import artist_content, lines_of_songs, songs_of_artists, unheard_factors
from recommender.engine.factors.solver import FoldIn

__all__ = [
    "Factorisation",
    "FoldIn",
    "artist_content",
    "factorise",
    "lines_of_songs",
    "refresh",
    "regularisation",
    "songs_of_artists",
    "unheard_factors",
]
