"""Calls about recommendations, and for operators about the models behind them."""

from typing import Any

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router

from accounts.apikit.auth import ANYBODY, LISTENER, limits, listener_of
from accounts.apikit.problems import ProblemError, answers, example_answer
from accounts.models import User
from catalog.models import Track
from catalog.schemas import RowId
from feedback.playlist_selectors import playlists_of
from recommender.filling import songs_like
from recommender.journeys import songs_between
from recommender.models import ModelVersion
from recommender.schemas import (
    CountQuery,
    JourneyQuery,
    ModelVersionOut,
    RecommendationsOut,
    RecommendQuery,
    SimilarOut,
    SimilarQuery,
    SuggestionsQuery,
)
from recommender.selectors import popular_tracks
from recommender.services import FeedItem, recommend_feed, similar_tracks
from recommender.versions import UnusableModelError, activate_checked

router = Router(tags=["recommendations"])
# Lies outside /api/, where programs expect it.
plain_router = Router(tags=["recommendations"])
operator_router = Router(tags=["operator"])
_VERSIONS = 30
_IDS = example_answer([1482, 77, 903, 12, 5])


@router.get("/recommendations", auth=LISTENER, response=answers(RecommendationsOut))
def recommendations(request: HttpRequest, query: Query[CountQuery]) -> Any:
    """Songs for you, with why each is there. They are noted as shown to you."""
    feed = recommend_feed(user=listener_of(request), k=query.k, is_recorded=True)
    if feed is None:
        items = [FeedItem(track, "") for track in popular_tracks(limit=query.k)]
        return {"items": items, "page": None, "model_version": None}
    return {"items": feed.items, "page": feed.page, "model_version": feed.version}


@plain_router.get(
    "/recommend/{user_id}",
    auth=LISTENER,
    response=answers(list[int], 404),
    openapi_extra=_IDS,
)
def recommend(request: HttpRequest, user_id: RowId, query: Query[RecommendQuery]) -> Any:
    """Ids of songs for a listener, best first: for the listener, or for staff (then they are not noted as shown)."""
    caller = listener_of(request)
    if caller.pk != user_id and not caller.is_staff:
        raise Http404("another listener")
    listener = get_object_or_404(User, pk=user_id)
    feed = recommend_feed(user=listener, k=query.k, is_recorded=caller.pk == user_id)
    tracks = popular_tracks(limit=query.k) if feed is None else [item.track for item in feed.items]
    return [track.pk for track in tracks]


@router.get("/songs/{song_id}/similar", auth=ANYBODY, response=answers(SimilarOut, 401, 404, is_public=True))
def similar(request: HttpRequest, song_id: RowId, query: Query[SimilarQuery]) -> Any:
    """Songs like one song."""
    track = get_object_or_404(Track.objects.active(), pk=song_id)
    return _songs(similar_tracks(track=track, user=_user_or_none(request), k=query.k))


@router.get(
    "/journey", auth=ANYBODY, throttle=limits("api", "search"), response=answers(SimilarOut, 401, 404, is_public=True)
)
def journey(request: HttpRequest, query: Query[JourneyQuery]) -> Any:
    """Songs that lead from one song to another, both of them included."""
    start, goal = (get_object_or_404(Track.objects.active(), pk=pk) for pk in (query.start, query.goal))
    return _songs(songs_between(start=start, goal=goal, between=query.between, user=_user_or_none(request)))


@router.get("/playlists/{playlist_id}/suggestions", auth=LISTENER, response=answers(SimilarOut, 404))
def suggestions(request: HttpRequest, playlist_id: RowId, query: Query[SuggestionsQuery]) -> Any:
    """Songs that go with a playlist of yours and are not in it."""
    playlist = get_object_or_404(playlists_of(listener_of(request)), pk=playlist_id)
    return _songs(songs_like(playlist=playlist, k=query.k, is_new=query.only_new))


@operator_router.get("/models", auth=LISTENER, response=answers(list[ModelVersionOut]))
def model_versions(request: HttpRequest) -> Any:
    """The latest model versions; for operators."""
    _require(request, "recommender.view_modelversion")
    return list(ModelVersion.objects.all()[:_VERSIONS])


@operator_router.post("/models/{version_id}/activate", auth=LISTENER, response=answers(ModelVersionOut, 404, 409))
def activate(request: HttpRequest, version_id: RowId) -> Any:
    """Let a version serve from the next request on; for operators. A version that cannot serve is a 409."""
    _require(request, "recommender.change_modelversion")
    version = get_object_or_404(ModelVersion, pk=version_id)
    try:
        activate_checked(version=version)
    except UnusableModelError as error:
        raise ProblemError(409, f"Version {version_id} cannot serve.") from error
    version.refresh_from_db()
    return version


def _songs(tracks: list[Track] | None) -> dict[str, Any]:
    return {"items": tracks or [], "is_known": tracks is not None}


def _user_or_none(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def _require(request: HttpRequest, permission: str) -> None:
    if not listener_of(request).has_perm(permission):
        raise ProblemError(403, "You may not do this.")
