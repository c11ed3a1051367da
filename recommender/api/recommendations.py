"""Calls about recommendations."""

from typing import Any

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router

from accounts.apikit.auth import ANYBODY, LISTENER, is_asked_by_head, limits, listener_of
from accounts.apikit.problems import example_response, responses
from accounts.models import User
from catalog.models import Track
from catalog.schemas import RowId
from feedback.playlists.selectors import playlists_of
from recommender.api.schemas import (
    CountQuery,
    JourneyQuery,
    RecommendationsOut,
    RecommendQuery,
    SimilarOut,
    SimilarQuery,
    SuggestionsQuery,
)
from recommender.pages.feed import FeedItem, recommend_feed
from recommender.pages.playlist_continuation import continue_playlist
from recommender.pages.popular import popular_tracks
from recommender.pages.similar import similar_tracks
from recommender.pages.track_path import track_path

router = Router(tags=["recommendations"])
# Lies outside /api/, where programs expect it.
plain_router = Router(tags=["recommendations"])
_IDS = example_response([1482, 77, 903, 12, 5])


@router.get("/recommendations", summary="Get recommendations", auth=LISTENER, response=responses(RecommendationsOut))
def recommendations(request: HttpRequest, query: Query[CountQuery]) -> Any:
    """Songs for you, each with its reason. Recorded as shown to you."""
    user = listener_of(request)
    feed = recommend_feed(user=user, k=query.k, is_recorded=not is_asked_by_head(request))
    if feed is None:
        items = [FeedItem(track, "") for track in popular_tracks(limit=query.k, user=user)]
        return {"items": items, "page": None, "model_version": None}
    return {"items": feed.items, "page": feed.page, "model_version": feed.version}


@plain_router.get(
    "/recommend/{user_id}",
    summary="Get song IDs for a listener",
    auth=LISTENER,
    response=responses(list[int], 404),
    openapi_extra=_IDS,
)
def recommend(request: HttpRequest, user_id: RowId, query: Query[RecommendQuery]) -> Any:
    """IDs of recommended songs, best first.

    For the listener themself, or for staff (then they aren't recorded as shown).
    """
    caller = listener_of(request)
    if caller.pk != user_id and not caller.may_operate:
        raise Http404("another listener")
    listener = get_object_or_404(User, pk=user_id)
    is_shown = caller.pk == user_id and not is_asked_by_head(request)
    feed = recommend_feed(user=listener, k=query.k, is_recorded=is_shown)
    tracks = popular_tracks(limit=query.k, user=listener) if feed is None else [item.track for item in feed.items]
    return [track.pk for track in tracks]


@router.get(
    "/songs/{song_id}/similar",
    summary="List similar songs",
    auth=ANYBODY,
    response=responses(SimilarOut, 401, 404, is_public=True),
)
def similar(request: HttpRequest, song_id: RowId, query: Query[SimilarQuery]) -> Any:
    """Songs similar to a song."""
    track = get_object_or_404(Track.objects.active(), pk=song_id)
    return _songs(similar_tracks(track=track, user=_user_or_none(request), k=query.k))


@router.get(
    "/journey",
    summary="Get a journey",
    auth=ANYBODY,
    throttle=limits("api", "search"),
    response=responses(SimilarOut, 401, 404, is_public=True),
)
def journey(request: HttpRequest, query: Query[JourneyQuery]) -> Any:
    """Songs that lead from one song to another, including both."""
    start, goal = (get_object_or_404(Track.objects.active(), pk=pk) for pk in (query.start, query.goal))
    return _songs(track_path(start=start, goal=goal, between=query.between, user=_user_or_none(request)))


@router.get(
    "/playlists/{playlist_id}/suggestions",
    summary="Suggest songs for a playlist",
    auth=LISTENER,
    response=responses(SimilarOut, 404),
)
def suggestions(request: HttpRequest, playlist_id: RowId, query: Query[SuggestionsQuery]) -> Any:
    """Songs that go well with one of your playlists and aren't in it yet."""
    playlist = get_object_or_404(playlists_of(listener_of(request)), pk=playlist_id)
    return _songs(continue_playlist(playlist=playlist, k=query.k, is_new=query.only_new))


def _songs(tracks: list[Track] | None) -> dict[str, Any]:
    return {"items": tracks or [], "is_known": tracks is not None}


def _user_or_none(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None
