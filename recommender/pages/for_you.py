"""The "For you" page in sections, recorded as shown."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np

from accounts.models import User
from catalog.models import Track
from recommender.adapters.loaded import LoadedModel
from recommender.adapters.requests import request_for_listener
from recommender.engine import (
    SHELVES,
    Feedback,
    FeedbackKind,
    IntArray,
    ShelfName,
    ShelvedPage,
    Stance,
    recommend_shelves,
)
from recommender.experiments.serving import serving_for
from recommender.pages.explanations.phrases import Names, StoredReason, sentence
from recommender.pages.explanations.recorded import stored_reason
from recommender.pages.impressions import Impression, record_impressions
from recommender.pages.shown import shown_page

SIZES: Mapping[ShelfName, int] = {"made": 8, **{name: 4 for name in SHELVES if name != "made"}}
MAX_SHELVES = 6
"""Who has all shelves sees the first six: the page does not grow with what is known of them."""
KNOWN_SHELVES = ("again", "forgotten")
"""Shelves of songs that the listener may have liked long since."""


@dataclass(frozen=True)
class ForYouItem:
    """One recommended song with why it is there; ``page`` and the song name its record.

    ``is_new``: exploring put it there, and the listener has neither played nor rated it. ``mark``: 1 for a song they
    like.
    """

    track: Track
    reason: str
    page: uuid.UUID | None = None
    is_new: bool = False
    mark: int = 0


@dataclass(frozen=True)
class ForYouSection:
    """Songs of one section, best first; ``anchor`` is the song that the songs of "because" are similar to.

    ``stance`` is what the listener did with that song.
    """

    name: str
    items: list[ForYouItem]
    anchor: Track | None = None
    stance: Stance = "none"

    @property
    def track_ids(self) -> str:
        """Return the ids of its songs as the page carries them."""
        return ",".join(str(item.track.pk) for item in self.items)


@dataclass(frozen=True)
class ForYouPage:
    """The page; ``amount`` is how much we know about the listener, in likes.

    ``token`` says what was true of the site's serving and its experiments when it was made.
    """

    sections: list[ForYouSection] = field(default_factory=list)
    amount: float = 0.0
    token: str = ""


def recommend_for_you(
    *,
    user: User,
    sizes: Mapping[ShelfName, int] = SIZES,
    exclude_ids: Collection[int] = (),
    is_recorded: bool = True,
) -> ForYouPage | None:
    """Return the sections of ``sizes`` for ``user`` from the feedback as it is now, and record them as shown.

    ``exclude_ids``: songs that are in other sections of the page already. Without ``is_recorded`` nobody sees the page
    (it is asked by HEAD). ``None`` before the first retrain.
    The model is evaluated once, however many sections there are.
    """
    served = serving_for(user)
    if served is None:
        return None
    loaded = served.loaded
    listener = request_for_listener(user, loaded, exclude_ids=exclude_ids, adventure=served.adventure)
    rng = np.random.default_rng()

    def ask(gone: IntArray) -> ShelvedPage:
        request = listener.request.without(gone)
        return recommend_shelves(loaded.model, listener.feedback, request, sizes, rng, MAX_SHELVES, served.shelves)

    page, tracks = shown_page(loaded.model, ask)
    impressions = [
        Impression(item, shelf.policy, stored_reason(item, loaded, listener.known, shelf.name), shelf.name)
        for shelf in page.shelves
        for item in shelf.items
    ]
    page_id = record_impressions(user, loaded, impressions, served.arm_id) if is_recorded else uuid.uuid4()
    names = Names.of(impression.reason for impression in impressions)
    anchors = _anchors(page, loaded)
    liked = _liked_ids(listener.feedback, loaded)
    sections = []
    for shelf in page.shelves:
        items = [
            for_you_item(
                tracks[impression.item.track_id],
                impression.reason,
                names,
                page_id,
                is_explored=impression.item.explored,
                is_liked=impression.item.track_id in liked,
            )
            for impression in impressions
            if impression.section == shelf.name
        ]
        sections.append(ForYouSection(shelf.name, items, anchors.get(shelf.seed_track), shelf.stance))
    return ForYouPage(sections, page.amount, served.token)


def for_you_item(
    track: Track, reason: StoredReason, names: Names, page: uuid.UUID, *, is_explored: bool, is_liked: bool
) -> ForYouItem:
    """Return a song of the page with the first part of its reason: a row has one line for it."""
    is_new = is_explored and "heard_at" not in reason
    return ForYouItem(track, sentence(reason, names, max_parts=1), page, is_new, int(is_liked))


def _liked_ids(feedback: Feedback, loaded: LoadedModel) -> set[int]:
    rows = feedback.rows[feedback.kind == FeedbackKind.LIKE]
    return set(loaded.model.catalogue.track_ids[rows].tolist())


def _anchors(page: ShelvedPage, loaded: LoadedModel) -> dict[int, Track]:
    """Return the songs that sections are built around, by row."""
    rows = [section.seed_track for section in page.shelves if section.seed_track >= 0]
    ids = {int(loaded.model.catalogue.track_ids[row]): row for row in rows}
    return {ids[track.pk]: track for track in Track.objects.filter(pk__in=ids)} if ids else {}
