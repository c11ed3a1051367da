"""What a listener is recommended, and the record of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from django.db import transaction

from accounts.models import User
from catalog.models import Track
from recommender.engine import Cause, Model, Page, Request, recommend, similar
from recommender.engine import Recommendation as Recommended
from recommender.engine.arrays import IntArray
from recommender.feedback_input import load_feedback
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
    """One recommended song with why it is there."""

    track: Track
    reason: str


@dataclass(frozen=True)
class Feed:
    """A page of recommended songs, best first; ``amount`` is how much is known of the listener, in likes."""

    items: list[FeedItem]
    amount: float


def recommend_feed(*, user: User, k: int = PAGE_SIZE, adventure: float | None = None) -> Feed | None:
    """Return ``k`` songs for ``user`` from the feedback as it is now, and record them as shown.

    ``None`` before the first retrain. ``adventure`` (0..1) stands in for the listener's own dial.
    """
    loaded = active_model()
    if loaded is None:
        return None
    model = loaded.model
    feedback = load_feedback(user, loaded)
    shown = load_shown(user, model.catalogue, feedback)
    rng = np.random.default_rng()

    def ask(excluded: IntArray) -> Page:
        request = Request(
            k=k,
            excluded=excluded,
            shown=shown,
            explicit_allowed=user.explicit_allowed,
            adventure=user.adventure if adventure is None else adventure,
        )
        return recommend(model, feedback, request, rng)

    page, tracks = _shown(model, ask)
    reasons = [_stored_reason(item, loaded) for item in page.items]
    _record(user, loaded, page, reasons)
    names = Names.of(reasons)
    items = [
        FeedItem(tracks[item.track_id], sentence(reason, names, is_explored=item.explored))
        for item, reason in zip(page.items, reasons, strict=True)
    ]
    return Feed(items, page.amount)


def similar_tracks(*, track: Track, explicit_allowed: bool, k: int = SIMILAR_SIZE) -> list[Track] | None:
    """Return the ``k`` songs most like ``track``; ``None`` where no model knows it yet."""
    loaded = active_model()
    if loaded is None:
        return None
    row = int(loaded.model.catalogue.rows_of([track.pk])[0])
    if row < 0:
        return None
    page, tracks = _shown(loaded.model, lambda excluded: similar(loaded.model, row, k, explicit_allowed, excluded))
    return [tracks[item.track_id] for item in page.items]


def _shown(model: Model, ask: Callable[[IntArray], Page]) -> tuple[Page, dict[int, Track]]:
    """Return a page whose songs are all still shown on the site, with the songs by id.

    The model's catalogue is as old as its fit. Songs hidden or deleted since are rare, so the page is simply asked for
    again without them; the last attempt leaves out what is still missing.
    """
    excluded = np.empty(0, dtype=np.int32)
    for attempt in range(MAX_ATTEMPTS):
        page = ask(excluded)
        ids = [item.track_id for item in page.items]
        tracks = {track.pk: track for track in Track.objects.active().filter(pk__in=ids).for_list()}
        gone = [item.row for item in page.items if item.track_id not in tracks]
        if not gone:
            break
        if attempt == 0:
            gone += _hidden_rows(model)
        excluded = np.concatenate([excluded, np.array(gone, dtype=np.int32)])
    return Page(tuple(item for item in page.items if item.track_id in tracks), page.policy, page.amount), tracks


def _hidden_rows(model: Model) -> list[int]:
    hidden = Track.objects.filter(is_active=False).values_list("pk", flat=True)
    rows = model.catalogue.rows_of(np.fromiter(hidden, dtype=np.int64))
    return [int(row) for row in rows[rows >= 0]]


@transaction.atomic
def _record(user: User, loaded: LoadedModel, page: Page, reasons: Sequence[StoredReason]) -> None:
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


def _stored_reason(item: Recommended, loaded: LoadedModel) -> StoredReason:
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
