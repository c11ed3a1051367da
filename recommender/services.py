"""What a listener is recommended, and the record of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from django.db import transaction

from accounts.models import User
from catalog.models import Track
from catalog.selectors import tracks_in_order
from recommender.engine import Cause, Model, Page, Request, recommend, similar
from recommender.engine import Recommendation as Recommended
from recommender.engine.arrays import IntArray
from recommender.feedback_input import load_listener, unwanted_rows
from recommender.models import Recommendation
from recommender.reasons import Names, StoredCause, StoredReason, sentence
from recommender.shown_input import load_shown
from recommender.versions import LoadedModel, active_model

PAGE_SIZE = 20
SIMILAR_SIZE = 10
# How often a page is asked for again when songs on it have been hidden or deleted since the fit.
MAX_ATTEMPTS = 3


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
    """A page of recommended songs, best first; ``amount`` is how much is known of the listener, in likes.

    ``version`` is the id of the model version that made it; ``page`` names the record, where there is one.
    """

    items: list[FeedItem]
    amount: float
    version: int
    page: uuid.UUID | None = None


def recommend_feed(
    *, user: User, k: int = PAGE_SIZE, adventure: float | None = None, is_recorded: bool = True
) -> Feed | None:
    """Return ``k`` songs for ``user`` from the feedback as it is now, and record them as shown.

    Not ``is_recorded`` is what somebody else looks at: the listener has not seen it. ``None`` before the first
    retrain. ``adventure`` (0..1) stands in for the listener's own dial.
    """
    loaded = active_model()
    if loaded is None:
        return None
    model = loaded.model
    given = load_listener(user, loaded)
    feedback, barred = given.feedback, given.barred
    shown = load_shown(user, model.catalogue, feedback)
    rng = np.random.default_rng()

    def ask(excluded: IntArray) -> Page:
        request = Request(
            k=k,
            excluded=np.concatenate([barred.rows, excluded]),
            excluded_artists=barred.artists,
            excluded_genres=barred.genres,
            shown=shown,
            explicit_allowed=user.explicit_allowed,
            adventure=user.adventure if adventure is None else adventure,
        )
        return recommend(model, feedback, request, rng)

    page, tracks = shown_page(model, ask)
    reasons = [stored_reason(item, loaded) for item in page.items]
    page_id = _record(user, loaded, page, reasons) if is_recorded else None
    names = Names.of(reasons)
    items = [
        FeedItem(
            tracks[item.track_id],
            sentence(reason, names, is_explored=item.explored),
            item.score,
            reason["terms"],
            item.explored,
        )
        for item, reason in zip(page.items, reasons, strict=True)
    ]
    return Feed(items, page.amount, loaded.version.pk, page_id)


def similar_tracks(*, track: Track, user: User | None, k: int = SIMILAR_SIZE) -> list[Track] | None:
    """Return the ``k`` songs most like ``track``, none that ``user`` blocked; ``None`` where no model knows it yet."""
    loaded = active_model()
    if loaded is None:
        return None
    row = int(loaded.model.catalogue.rows_of([track.pk])[0])
    if row < 0:
        return None
    unwanted = unwanted_rows(user, loaded)

    def ask(excluded: IntArray) -> Page:
        return similar(loaded.model, row, k, excluded=np.concatenate([unwanted, excluded]))

    page, tracks = shown_page(loaded.model, ask)
    return [tracks[item.track_id] for item in page.items]


def shown_page(model: Model, ask: Callable[[IntArray], Page]) -> tuple[Page, dict[int, Track]]:
    """Return a page whose songs are all still shown on the site, with the songs (and their artists) by id.

    The model's catalogue is as old as its fit. Songs hidden or deleted since are rare, so the page is simply asked for
    again without them; the last attempt leaves out what is still missing.
    """
    excluded = np.empty(0, dtype=np.int32)
    for attempt in range(MAX_ATTEMPTS):
        page = ask(excluded)
        ids = [item.track_id for item in page.items]
        tracks = {track.pk: track for track in tracks_in_order(ids)}
        gone = [item.row for item in page.items if item.track_id not in tracks]
        if not gone:
            break
        if attempt == 0:
            gone += hidden_rows(model)
        excluded = np.concatenate([excluded, np.array(gone, dtype=np.int32)])
    return Page(tuple(item for item in page.items if item.track_id in tracks), page.policy, page.amount), tracks


def hidden_rows(model: Model) -> list[int]:
    """Return the rows of songs that are not shown, though the model knows them; one query."""
    hidden = Track.objects.filter(is_active=False).values_list("pk", flat=True)
    rows = model.catalogue.rows_of(np.fromiter(hidden, dtype=np.int64))
    return [int(row) for row in rows[rows >= 0]]


@transaction.atomic
def _record(user: User, loaded: LoadedModel, page: Page, reasons: Sequence[StoredReason]) -> uuid.UUID:
    page_id = uuid.uuid4()
    Recommendation.objects.bulk_create(
        Recommendation(
            user=user,
            track_id=item.track_id,
            model_version=loaded.version,
            page=page_id,
            position=position,
            score=item.score,
            policy=page.policy,
            propensity=item.propensity,
            is_explored=item.explored,
            reason=reason,
        )
        for position, (item, reason) in enumerate(zip(page.items, reasons, strict=True))
    )
    return page_id


def stored_reason(item: Recommended, loaded: LoadedModel) -> StoredReason:
    """Return the terms and causes of one song, by database ids, as they are recorded."""
    causes = [_stored_cause(reason.term, cause, loaded) for reason in item.reasons for cause in reason.causes]
    return {"terms": {name: round(value, 6) for name, value in item.contributions.items()}, "causes": causes}


def _stored_cause(term: str, cause: Cause, loaded: LoadedModel) -> StoredCause:
    track_ids = loaded.model.catalogue.track_ids
    return {
        "term": term,
        "kind": cause.kind,
        "id": _cause_id(cause, loaded),
        "value": round(cause.value, 6),
        "tracks": [int(track_ids[row]) for row in cause.tracks],
    }


def _cause_id(cause: Cause, loaded: LoadedModel) -> int | str | None:
    catalogue = loaded.model.catalogue
    ids = {"track": catalogue.track_ids, "artist": catalogue.artist_ids, "genre": catalogue.genre_ids}
    if cause.kind in ids:
        return int(ids[cause.kind][cause.index])
    return loaded.regions[cause.index] if cause.kind == "region" else None
