"""Why a song is shown: the terms that raised it most, and what about the listener raised each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recommender.engine.arrays import IntArray
from recommender.engine.config import EngineConfig
from recommender.engine.listener import Listener
from recommender.engine.terms import Cause, Term


@dataclass(frozen=True)
class Reason:
    """One term that raised a song: its exact contribution to the score, and its strongest causes, strongest first."""

    term: str
    contribution: float
    causes: tuple[Cause, ...]


def explain(
    terms: Mapping[str, Term],
    contributions: Sequence[Mapping[str, float]],
    listener: Listener,
    rows: IntArray,
    config: EngineConfig,
) -> list[tuple[Reason, ...]]:
    """The reasons for each row: its `max_reasons` largest positive contributions by terms, largest first.

    A term that only stands out by what it holds against other songs has no positive cause and is left out; what lowered
    a song is in the contributions, not here.
    """
    chosen = [_leading_terms(found, terms, config.max_reasons) for found in contributions]
    reasons: list[list[Reason]] = [[] for _ in rows]
    for name in terms:
        places = [place for place, leading in enumerate(chosen) if name in leading]
        if not places:
            continue
        for place, causes in zip(places, terms[name].explain(listener, rows[places], config.max_causes), strict=True):
            if causes:
                reasons[place].append(Reason(name, chosen[place][name], tuple(causes)))
    return [tuple(sorted(found, key=lambda reason: (-reason.contribution, reason.term))) for found in reasons]


def _leading_terms(contributions: Mapping[str, float], terms: Mapping[str, Term], limit: int) -> dict[str, float]:
    raised = [share for share in contributions.items() if share[1] > 0 and share[0] in terms]
    return dict(sorted(raised, key=lambda share: (-share[1], share[0]))[:limit])
