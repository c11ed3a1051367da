"""The "For you" page in sections, and the record of it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from django.db import transaction

from accounts.models import User
from catalog.models import Track
from recommender.engine import Page, Request
from recommender.engine import Recommendation as Recommended
from recommender.engine.arrays import IntArray
from recommender.engine.sections import SectionedPage, SectionName, recommend_sections
from recommender.feedback_input import load_listener
from recommender.models import Recommendation
from recommender.reasons import Names, StoredReason, sentence
from recommender.services import shown_page, stored_reason
from recommender.shown_input import load_shown
from recommender.versions import LoadedModel, active_model

SIZES: Mapping[SectionName, int] = {"made": 8, "because": 4, "new": 4, "artists": 4, "popular": 4}


@dataclass(frozen=True)
class HomeItem:
    """One recommended song with why it is there; ``page`` and the song name its record."""

    track: Track
    reason: str
    page: uuid.UUID | None = None


@dataclass(frozen=True)
class HomeSection:
    """Songs of one section, best first; ``anchor`` is the song that those of "because" are like."""

    name: str
    items: list[HomeItem]
    anchor: Track | None = None

    @property
    def track_ids(self) -> str:
        """Return the ids of its songs as the page carries them."""
        return ",".join(str(item.track.pk) for item in self.items)


@dataclass(frozen=True)
class Home:
    """The page; ``amount`` is how much is known of the listener, in likes."""

    sections: list[HomeSection] = field(default_factory=list)
    amount: float = 0.0


def recommend_home(
    *, user: User, sizes: Mapping[SectionName, int] = SIZES, elsewhere: Collection[int] = ()
) -> Home | None:
    """Return the sections of ``sizes`` for ``user`` from the feedback as it is now, and record them as shown.

    ``elsewhere``: ids of songs that stand in other sections of the page already. ``None`` before the first retrain.
    One evaluation of the model, however many sections.
    """
    loaded = active_model()
    if loaded is None:
        return None
    page, tracks = _chosen(user, loaded, sizes, elsewhere)
    reasons = [
        (section.name, section.policy, item, stored_reason(item, loaded))
        for section in page.sections
        for item in section.items
        if item.track_id in tracks
    ]
    page_id = uuid.uuid4()
    _record(user, loaded, page_id, reasons)
    names = Names.of(reason for *_where, reason in reasons)
    anchors = _anchors(page, loaded)
    sections = []
    for section in page.sections:
        items = [
            HomeItem(tracks[item.track_id], sentence(reason, names, is_explored=item.explored), page_id)
            for name, _policy, item, reason in reasons
            if name == section.name
        ]
        sections.append(HomeSection(section.name, items, anchors.get(section.anchor)))
    return Home([section for section in sections if section.items], page.amount)


def _chosen(
    user: User, loaded: LoadedModel, sizes: Mapping[SectionName, int], elsewhere: Collection[int]
) -> tuple[SectionedPage, dict[int, Track]]:
    """Return the sections, and those of their songs that are still shown on the site."""
    model = loaded.model
    given = load_listener(user, loaded)
    others = model.catalogue.rows_of(np.fromiter(elsewhere, dtype=np.int64))
    left_out = np.concatenate([given.barred.rows, others[others >= 0]])
    shown = load_shown(user, model.catalogue, given.feedback)
    rng = np.random.default_rng()
    latest: list[SectionedPage] = []

    def ask(excluded: IntArray) -> Page:
        request = Request(
            excluded=np.concatenate([left_out, excluded]),
            excluded_artists=given.barred.artists,
            excluded_genres=given.barred.genres,
            shown=shown,
            explicit_allowed=user.explicit_allowed,
            adventure=user.adventure,
        )
        latest[:] = [recommend_sections(model, given.feedback, request, sizes, rng)]
        items = tuple(item for section in latest[0].sections for item in section.items)
        return Page(items, "greedy", latest[0].amount)

    _page, tracks = shown_page(model, ask)
    return latest[0], tracks


def _anchors(page: SectionedPage, loaded: LoadedModel) -> dict[int, Track]:
    """Return the songs that sections hang on, by row."""
    rows = [section.anchor for section in page.sections if section.anchor >= 0]
    ids = {int(loaded.model.catalogue.track_ids[row]): row for row in rows}
    return {ids[track.pk]: track for track in Track.objects.filter(pk__in=ids)} if ids else {}


@transaction.atomic
def _record(
    user: User,
    loaded: LoadedModel,
    page_id: uuid.UUID,
    reasons: Sequence[tuple[SectionName, str, Recommended, StoredReason]],
) -> None:
    Recommendation.objects.bulk_create(
        Recommendation(
            user=user,
            track_id=item.track_id,
            model_version=loaded.version,
            page=page_id,
            position=position,
            section=section,
            score=item.score,
            policy=policy,
            propensity=item.propensity,
            is_explored=item.explored,
            reason=reason,
        )
        for position, (section, policy, item, reason) in enumerate(reasons)
    )
