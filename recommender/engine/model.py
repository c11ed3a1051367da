"""A fitted model: the catalogue it knows, the fitted terms, and how they are weighed. `rank` uses it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from recommender.engine.config import EngineConfig
from recommender.engine.data import Catalogue, Feedback
from recommender.engine.data.arrays import FloatArray, IntArray, unit_vectors
from recommender.engine.data.listener_cache import ListenerCache, cache_capacity
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.ranking import Ranker, TrackAttributes
from recommender.engine.ranking.blend import BlendWeights, Scores, TermScores
from recommender.engine.ranking.score_statistics import ScoreStatistics
from recommender.engine.ranking.training import SecondStage
from recommender.engine.retrieval import CandidateRetriever, QueryVectors
from recommender.engine.terms import Term
from recommender.engine.terms.artist import ArtistTerm
from recommender.engine.terms.audio import AudioTerm
from recommender.engine.terms.collaborative import CollaborativeTerm
from recommender.engine.terms.genre import GenreTerm


@dataclass(eq=False)
class ScoreCache:
    """What one model computed for one listener. The arrays must not be written to."""

    terms: dict[str, TermScores] = field(default_factory=dict)
    blend: Scores | None = None
    query_vectors: QueryVectors | None = None


NamedTerm = TypeVar("NamedTerm", bound=Term)


@dataclass(frozen=True, eq=False)
class Model:
    """Immutable but for `profiles`, and safe to share between threads.

    metadata: the caller's, plain values (stored as JSON). ranker: orders the candidates of the blend; None while there
    are too few listeners to learn one. content_weights: of the blend of the terms that need no other listeners.
    retriever: finds the tracks worth scoring; None: all are scored. score_statistics: of the linear terms; terms
    without statistics are scored on the whole catalogue. profiles: a bounded cache of the latest listeners.
    """

    catalogue: Catalogue
    terms: Mapping[str, Term]
    weights: BlendWeights
    config: EngineConfig
    attributes: TrackAttributes
    content_weights: BlendWeights
    ranker: Ranker | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    retriever: CandidateRetriever | None = None
    score_statistics: Mapping[str, ScoreStatistics] = field(default_factory=dict)
    profiles: ListenerCache = field(default_factory=ListenerCache, init=False, repr=False)

    def listener(self, feedback: Feedback) -> ListenerProfile:
        """Return the profile of a listener; the same object for the same feedback while it is in `profiles`.

        Raise InvalidDataError if the feedback points outside the catalogue.
        """
        capacity = cache_capacity(self.catalogue.n_tracks, len(self.terms))
        return self.profiles.listener(feedback, capacity, self._fold_in)

    def _fold_in(self, feedback: Feedback) -> ListenerProfile:
        feedback.check_against(self.catalogue)
        return ListenerProfile.from_feedback(feedback, self.config.feedback)

    def score_cache(self, listener: ListenerProfile) -> ScoreCache:
        """Return the cache of this model's scores for a listener; it lives as long as the profile."""
        return listener.cached(self._new_score_cache)

    def _new_score_cache(self, listener: ListenerProfile) -> ScoreCache:
        return ScoreCache()

    def term(self, kind: type[NamedTerm]) -> NamedTerm:
        """Return the fitted term of that class; raise KeyError if the model has none."""
        return cast(NamedTerm, self.terms[kind.name])

    def artist_affinity(self, listener: ListenerProfile) -> tuple[IntArray, FloatArray]:
        """Return the artists with feedback of the listener, int32[a], and how much each is liked, float32[a]."""
        return self.term(ArtistTerm).affinity(listener)

    def genre_profile(self, listener: ListenerProfile) -> FloatArray:
        """Return how much the listener likes each genre, float32[n_genres], of unit length before adjustments."""
        return self.term(GenreTerm).listener_profile(listener)

    def embedding(self, rows: IntArray) -> FloatArray:
        """Return vectors of some tracks whose products say how similar they are, float32[len(rows), d].

        The collaborative factors where they are fitted, else the vectors of the audio term.
        """
        vectors = self.term(CollaborativeTerm).vectors(rows)
        return vectors if vectors.shape[1] else self.term(AudioTerm).vectors(rows)

    def unit_embedding_of(self, listener: ListenerProfile) -> FloatArray:
        """Return the vectors of the listener's tracks, of length 1, or zero where nothing is known of a track."""
        return listener.cached(self._unit_embedding_of)

    def _unit_embedding_of(self, listener: ListenerProfile) -> FloatArray:
        vectors = self.term(CollaborativeTerm).vectors_of(listener)
        return unit_vectors(vectors if vectors.shape[1] else self.embedding(listener.rows))

    @property
    def second_stage(self) -> SecondStage:
        """Return what was learned about weighing the terms."""
        return SecondStage(self.weights, self.ranker, self.content_weights)
