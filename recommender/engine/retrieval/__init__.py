"""In a catalogue of very many songs: which of them are worth scoring, found without going through all."""

from recommender.engine.retrieval.index import BuildIndex, NearestIndex, OpenIndex
from recommender.engine.retrieval.query_vectors import QueryVectors
from recommender.engine.retrieval.retriever import CandidateRetriever

__all__ = ["BuildIndex", "CandidateRetriever", "NearestIndex", "OpenIndex", "QueryVectors"]
