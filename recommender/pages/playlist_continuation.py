"""Songs that go with a playlist."""

from __future__ import annotations

import numpy as np

from accounts.models import User
from catalog.models import Track
from feedback.playlists.models import Playlist
from feedback.playlists.selectors import tracks_of
from feedback.plays.models import Play
from feedback.ratings.models import Rating
from recommender.adapters.loaded import LoadedModel
from recommender.adapters.requests import request_about_songs
from recommender.engine import NO_REGION, Feedback, IntArray, RecommendedPage, recommend
from recommender.lifecycle.versions import active_model
from recommender.pages.shown import shown_page


def continue_playlist(*, playlist: Playlist, k: int, is_new: bool) -> list[Track] | None:
    """Return ``k`` songs for whoever likes what is in the playlist, none of which is in it, best first.

    Nothing that its owner blocked; with ``is_new`` nothing that they ever rated or played either. ``None`` where there
    is no model, or where it knows none of the playlist's songs. The owner's own taste does not count here, so that the
    playlist keeps its character.
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
    exclude_ids = _ids_known_to(owner) if is_new else _disliked_ids(owner)
    request = request_about_songs(owner, catalogue, k=k, exclude_ids=exclude_ids)
    feedback = Feedback.likes(seeds, region=_region(owner, loaded))

    def ask(gone: IntArray) -> RecommendedPage:
        return recommend(loaded.model, feedback, request.without(gone), np.random.default_rng(0))

    page, tracks = shown_page(loaded.model, ask)
    return [tracks[item.track_id] for item in page.items]


def _ids_known_to(user: User) -> set[int]:
    rated = Rating.objects.filter(user=user).values_list("track_id", flat=True).order_by()
    played = Play.objects.filter(user=user).values_list("track_id", flat=True).order_by().distinct()
    return {*rated, *played}


def _disliked_ids(user: User) -> set[int]:
    disliked = Rating.objects.filter(user=user, value=Rating.Value.DISLIKE)
    return set(disliked.values_list("track_id", flat=True))


def _region(user: User, loaded: LoadedModel) -> int:
    return loaded.regions.index(user.region) if user.region in loaded.regions else NO_REGION
