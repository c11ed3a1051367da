"""A page of songs recommended to a listener, recorded as shown."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np

from accounts.models import User
from catalog.models import Track
from recommender.adapters.requests import PAGE_SIZE, request_for_listener
from recommender.engine import IntArray, RecommendedPage, recommend
from recommender.experiments.serving import serving_for
from recommender.pages.explanations.phrases import Names, sentence
from recommender.pages.explanations.recorded import stored_reason
from recommender.pages.impressions import Impression, record_impressions
from recommender.pages.shown import shown_page


@dataclass(frozen=True)
class FeedItem:
    """One recommended song with why it is there; ``terms`` are the parts of ``score`` by name."""

    track: Track
    reason: str
    score: float = 0.0
    terms: Mapping[str, float] = field(default_factory=dict)
    is_explored: bool = False


@dataclass(frozen=True)
class Feed:
    """A page of recommended songs, best first; ``amount`` is how much we know about the listener, in likes.

    ``version`` is the id of the model version that made it; ``page`` names the record, where there is one.
    """

    items: list[FeedItem]
    amount: float
    version: int
    page: uuid.UUID | None = None


def recommend_feed(
    *,
    user: User,
    k: int = PAGE_SIZE,
    adventure: float | None = None,
    is_recorded: bool = True,
    only_ids: Collection[int] | None = None,
) -> Feed | None:
    """Return ``k`` songs for ``user`` from the feedback as it is now, and record them as shown.

    Without ``is_recorded`` the page is for somebody else's eyes: the listener has not seen it. ``None`` before the
    first retrain. ``adventure`` (0..1) stands in for the listener's own dial; such a page counts for no experiment.
    ``only_ids``: songs besides which none may be recommended.
    """
    served = serving_for(user)
    if served is None:
        return None
    loaded, dial = served.loaded, served.adventure if adventure is None else adventure
    listener = request_for_listener(user, loaded, k=k, adventure=dial, only_ids=only_ids)
    rng = np.random.default_rng()

    def ask(gone: IntArray) -> RecommendedPage:
        return recommend(loaded.model, listener.feedback, listener.request.without(gone), rng)

    page, tracks = shown_page(loaded.model, ask)
    impressions = [Impression(item, page.policy, stored_reason(item, loaded, listener.known)) for item in page.items]
    arm_id = served.arm_id if adventure is None else None
    page_id = record_impressions(user, loaded, impressions, arm_id) if is_recorded else None
    names = Names.of(impression.reason for impression in impressions)
    items = [_feed_item(impression, tracks, names) for impression in impressions]
    return Feed(items, page.amount, loaded.version.pk, page_id)


def _feed_item(impression: Impression, tracks: Mapping[int, Track], names: Names) -> FeedItem:
    item, reason = impression.item, impression.reason
    text = sentence(reason, names, is_explored=item.explored)
    return FeedItem(tracks[item.track_id], text, item.score, reason["terms"], item.explored)
