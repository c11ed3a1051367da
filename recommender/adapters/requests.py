"""Builds the engine's request for a listener: their feedback and the rules of their page."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from django.utils import timezone

from accounts.models import User
from recommender.adapters.feedback import Exclusions, Known, allowed_rows, blocked, load_listener
from recommender.adapters.impressions import load_impressions
from recommender.adapters.loaded import LoadedModel
from recommender.engine import Catalogue, Feedback, Impressions, Request

PAGE_SIZE = 20
NEW_YEARS = 1
"""A song counts as new in the year of its release and for so many years after it."""


@dataclass(frozen=True, eq=False)
class ListenerRequest:
    """A request for songs for one listener, with their feedback, and the songs they know."""

    feedback: Feedback
    request: Request
    known: Known


def request_for_listener(
    user: User,
    loaded: LoadedModel,
    *,
    k: int = PAGE_SIZE,
    adventure: float | None = None,
    exclude_ids: Collection[int] = (),
    only_ids: Collection[int] | None = None,
) -> ListenerRequest:
    """Return the request for ``k`` songs for ``user``, from the feedback as it is now; eight queries.

    ``adventure`` (0..1) stands in for the listener's own dial. ``exclude_ids``: songs left out besides the rest.
    ``only_ids``: songs besides which none may be recommended.
    """
    listener, catalogue = load_listener(user, loaded), loaded.model.catalogue
    shown = load_impressions(user, catalogue, listener.feedback)
    dial = user.adventure if adventure is None else adventure
    exclusions = listener.exclusions if only_ids is None else _limited(listener.exclusions, catalogue, only_ids)
    request = page_request(user, exclusions, catalogue, k, exclude_ids, shown, dial)
    return ListenerRequest(listener.feedback, request, listener.known)


def request_about_songs(
    user: User | None, catalogue: Catalogue, *, k: int, exclude_ids: Collection[int] = ()
) -> Request:
    """Return a request for ``k`` songs that is not about the listener's taste: only their rules hold.

    Two queries; none for visitors, who may see all.
    """
    exclusions = replace(blocked(user, catalogue), only=allowed_rows(user, catalogue))
    return page_request(user, exclusions, catalogue, k, exclude_ids, Impressions(), 0.0)


def page_request(
    user: User | None,
    exclusions: Exclusions,
    catalogue: Catalogue,
    k: int,
    exclude_ids: Collection[int],
    shown: Impressions,
    adventure: float,
) -> Request:
    """Return a request for ``k`` songs under a listener's rules; ``exclude_ids``: songs left out besides the rest."""
    others = catalogue.rows_of(np.fromiter(exclude_ids, dtype=np.int64, count=len(exclude_ids)))
    return Request(
        k=k,
        excluded=np.concatenate([exclusions.rows, others[others >= 0]]),
        excluded_artists=exclusions.artists,
        excluded_genres=exclusions.genres,
        explicit_allowed=user is None or user.explicit_allowed,
        only=exclusions.only,
        adventure=adventure,
        shown=shown,
        new_since=timezone.localdate().year - NEW_YEARS,
    )


def _limited(exclusions: Exclusions, catalogue: Catalogue, only_ids: Collection[int]) -> Exclusions:
    """Return ``exclusions`` with the further rule that nothing but ``only_ids`` may be recommended."""
    rows = catalogue.rows_of(np.fromiter(only_ids, dtype=np.int64, count=len(only_ids)))
    rows = rows[rows >= 0]
    return replace(exclusions, only=rows if exclusions.only is None else np.intersect1d(rows, exclusions.only))
