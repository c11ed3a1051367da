"""Songs that go with a playlist."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from accounts.models import User
from catalog.models import Track
from feedback.models import Play, Playlist, Rating
from feedback.playlist_selectors import tracks_of
from recommender.engine import Feedback, Page, Request, recommend
from recommender.engine.arrays import IntArray
from recommender.engine.data import NO_REGION
from recommender.feedback_input import unwanted_rows
from recommender.services import shown_page
from recommender.versions import LoadedModel, active_model


def songs_like(*, playlist: Playlist, k: int, is_new: bool) -> list[Track] | None:
    """Return ``k`` songs for whoever likes what is in the playlist, none of which is in it, best first.

    Nothing that its owner blocked; with ``is_new`` none that they ever rated or played either. ``None`` where there is
    no model, or where it knows none of the playlist's songs. The listener's own taste has no say: a playlist is of one
    mind.
    """
    loaded = active_model()
    if loaded is None:
        return None
    catalogue = loaded.model.catalogue
    held = catalogue.rows_of(np.fromiter(tracks_of(playlist).values_list("pk", flat=True), dtype=np.int64))
    seeds = np.unique(held[held >= 0])
    if not len(seeds):
        return None
    owner = playlist.owner
    known = _rows_known_to(owner, loaded) if is_new else _disliked(owner, loaded)
    left_out = np.concatenate([known, unwanted_rows(owner, loaded)])
    feedback = Feedback.likes(seeds, region=_region(owner, loaded))

    def ask(excluded: IntArray) -> Page:
        request = Request(k=k, excluded=np.concatenate([left_out, excluded]))
        return recommend(loaded.model, feedback, request, np.random.default_rng(0))

    page, tracks = shown_page(loaded.model, ask)
    return [tracks[item.track_id] for item in page.items]


def _rows_known_to(user: User, loaded: LoadedModel) -> IntArray:
    rated = Rating.objects.filter(user=user).values_list("track_id", flat=True).order_by()
    played = Play.objects.filter(user=user).values_list("track_id", flat=True).order_by().distinct()
    return _rows({*rated, *played}, loaded)


def _disliked(user: User, loaded: LoadedModel) -> IntArray:
    disliked = Rating.objects.filter(user=user, value=Rating.Value.DISLIKE)
    return _rows(set(disliked.values_list("track_id", flat=True)), loaded)


def _rows(track_ids: Collection[int], loaded: LoadedModel) -> IntArray:
    rows = loaded.model.catalogue.rows_of(np.fromiter(track_ids, dtype=np.int64, count=len(track_ids)))
    return rows[rows >= 0]


def _region(user: User, loaded: LoadedModel) -> int:
    return loaded.regions.index(user.region) if user.region in loaded.regions else NO_REGION
