"""The registry of terms. To add one: write its module, add its class here, give it weights in `EngineConfig`."""

from __future__ import annotations

from recommender.engine.terms.album import AlbumTerm
from recommender.engine.terms.artist import ArtistTerm
from recommender.engine.terms.audio import AudioTerm
from recommender.engine.terms.base import (
    Cause,
    CauseKind,
    LinearTerm,
    Opinions,
    Progress,
    SparseTerm,
    Term,
    no_progress,
)
from recommender.engine.terms.collaborative import CollaborativeTerm
from recommender.engine.terms.era import EraTerm
from recommender.engine.terms.genre import GenreTerm
from recommender.engine.terms.mainstream import MainstreamTerm
from recommender.engine.terms.neighbours import EaseTerm, ItemToItemTerm
from recommender.engine.terms.popularity import PopularityTerm

_TERMS: tuple[type[Term], ...] = (
    ArtistTerm,
    AlbumTerm,
    GenreTerm,
    AudioTerm,
    MainstreamTerm,
    PopularityTerm,
    CollaborativeTerm,
    ItemToItemTerm,
    EaseTerm,
    EraTerm,
)
TERMS: dict[str, type[Term]] = {term.name: term for term in _TERMS}

__all__ = ["TERMS", "Cause", "CauseKind", "LinearTerm", "Opinions", "Progress", "SparseTerm", "Term", "no_progress"]
