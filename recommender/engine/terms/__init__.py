"""The registry of terms. To add one, write its module and add its class to the list below."""

from __future__ import annotations

from recommender.engine.terms.album import AlbumTerm
from recommender.engine.terms.artist import ArtistTerm
from recommender.engine.terms.audio import AudioTerm
from recommender.engine.terms.base import (
    Cause,
    CauseKind,
    LinearTerm,
    Progress,
    SparseScores,
    SparseTerm,
    Stance,
    Term,
    TermsConfig,
    Weight,
    no_progress,
)
from recommender.engine.terms.collaborative import CollaborativeTerm
from recommender.engine.terms.genre import GenreTerm
from recommender.engine.terms.item_similarity import ItemSimilarityTerm
from recommender.engine.terms.popularity import PopularityTerm
from recommender.engine.terms.popularity_match import PopularityMatchTerm
from recommender.engine.terms.preference import PreferenceTerm
from recommender.engine.terms.release_year import ReleaseYearTerm

_TERMS: tuple[type[Term], ...] = (
    ArtistTerm,
    AlbumTerm,
    GenreTerm,
    AudioTerm,
    PopularityMatchTerm,
    PopularityTerm,
    CollaborativeTerm,
    ItemSimilarityTerm,
    ReleaseYearTerm,
    PreferenceTerm,
)
TERMS: dict[str, type[Term]] = {term.name: term for term in _TERMS}

__all__ = [
    "TERMS",
    "Cause",
    "CauseKind",
    "LinearTerm",
    "Progress",
    "SparseScores",
    "SparseTerm",
    "Stance",
    "Term",
    "TermsConfig",
    "Weight",
    "no_progress",
]
