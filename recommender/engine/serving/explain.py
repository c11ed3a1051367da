"""Why a song is recommended: the terms that raised it most, and the causes of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recommender.engine.config import EngineConfig
from recommender.engine.data.arrays import IntArray
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.terms import Cause, Term

NEVER_A_REASON = ("mainstream",)
"""Terms that are never given as a reason: nobody likes a song for being about as well known as another."""


@dataclass(frozen=True)
class Reason:
    """One term that raised a song: its exact contribution to the score, and its strongest causes, strongest first."""

    term: str
    contribution: float
    causes: tuple[Cause, ...]


def explain(
    terms: Mapping[str, Term],
    contributions: Sequence[Mapping[str, float]],
    listener: ListenerProfile,
    rows: IntArray,
    config: EngineConfig,
) -> list[tuple[Reason, ...]]:
    """Return the reasons for each row: the `max_reasons` terms with the largest positive contributions, largest first.

    A term whose contribution is positive only because other songs score lower has no positive cause and is left out; so
    is one whose causes cannot be stated truthfully (`terms.causes`). Negative contributions are no reasons.
    """
    leading_terms = [_leading_terms(by_term, terms, config.page.max_reasons) for by_term in contributions]
    reasons: list[list[Reason]] = [[] for _ in rows]
    for name in terms:
        positions = [position for position, leading in enumerate(leading_terms) if name in leading]
        if not positions:
            continue
        explained = terms[name].explain(listener, rows[positions], config.page.max_causes)
        for position, causes in zip(positions, explained, strict=True):
            if causes:
                reasons[position].append(Reason(name, leading_terms[position][name], tuple(causes)))
    return [tuple(sorted(of_row, key=lambda reason: (-reason.contribution, reason.term))) for of_row in reasons]


def _leading_terms(contributions: Mapping[str, float], terms: Mapping[str, Term], limit: int) -> dict[str, float]:
    nameable = terms.keys() - set(NEVER_A_REASON)
    raised = [share for share in contributions.items() if share[1] > 0 and share[0] in nameable]
    return dict(sorted(raised, key=lambda share: (-share[1], share[0]))[:limit])
