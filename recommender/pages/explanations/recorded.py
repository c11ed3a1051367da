"""The reasons of a recommendation as they are recorded, by database ids."""

from __future__ import annotations

from recommender.adapters.feedback import Known
from recommender.adapters.loaded import LoadedModel
from recommender.engine import Cause, PageItem
from recommender.models import BLEND
from recommender.pages.explanations.phrases import StoredCause, StoredReason


def stored_reason(item: PageItem, loaded: LoadedModel, known: Known, section: str = "") -> StoredReason:
    """Return the terms and causes of one song, by database ids, as they are recorded.

    A song on a shelf that is not about the score, ``section``, is recorded with what brought it there.
    """
    catalogue = loaded.model.catalogue
    reason: StoredReason = {
        "terms": {name: round(value, 6) for name, value in item.contributions.items()},
        "causes": [_stored_cause(reason.term, cause, loaded) for reason in item.reasons for cause in reason.causes],
    }
    song = known.of(int(catalogue.recording[item.row]))
    if song is not None:
        reason["heard_at"] = song.heard_at
        if section == "again":
            reason["plays"] = song.plays
        elif section in ("forgotten", BLEND):
            reason["liked_at"] = song.liked_at
    if section == "fresh":
        reason["released"] = int(catalogue.year[item.row])
    return reason


def _stored_cause(term: str, cause: Cause, loaded: LoadedModel) -> StoredCause:
    track_ids = loaded.model.catalogue.track_ids
    return {
        "term": term,
        "kind": cause.kind,
        "id": _cause_id(cause, loaded),
        "value": round(cause.value, 6),
        "tracks": [int(track_ids[row]) for row in cause.tracks],
        "stance": cause.stance,
    }


def _cause_id(cause: Cause, loaded: LoadedModel) -> int | str | None:
    catalogue = loaded.model.catalogue
    ids = {"track": catalogue.track_ids, "artist": catalogue.artist_ids, "genre": catalogue.genre_ids}
    if cause.kind in ids:
        return int(ids[cause.kind][cause.index])
    return loaded.regions[cause.index] if cause.kind == "region" else None
