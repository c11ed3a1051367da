"""Settings of the candidate retriever."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RetrievalConfig:
    """Which songs of a very large catalogue are scored.

    above: an index retrieves the songs worth scoring in catalogues with more songs than this; in others all are scored.
    n_nearest: songs retrieved for the blend as a whole, besides as many as the listener knows. n_per_term: for each
    term alone. n_sparse: the best of the songs with a score of a sparse term. probe_share: share of the index that is
    searched; more finds more, and takes longer. n_dimensions: kept of a term that has more (genres).

    With these numbers the index finds .988 to .991 of the candidates and .992 to .999 of a page among two million
    invented songs, in a fifth of the time (benchmarks/results/2026-11.md). Other numbers were not compared on record,
    and neither were real songs.
    """

    above: int = 1_000_000
    n_nearest: int = 3_000
    n_per_term: int = 100
    n_sparse: int = 4_000
    probe_share: float = 0.1
    n_dimensions: int = 128
