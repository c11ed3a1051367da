"""Calls about likes and dislikes."""

from typing import Any

from django.db import transaction
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router

from accounts.apikit.auth import LISTENER, limits, listener_of
from accounts.apikit.paging import PageQuery, newest_page
from accounts.apikit.problems import responses
from catalog.models import Track
from catalog.schemas import RowId
from catalog.selectors import tracks_in_order, unknown_ids
from feedback.hidden import HiddenTrackError
from feedback.ratings import selectors, services
from feedback.ratings.models import Rating
from feedback.ratings.schemas import FeedbackIn, FeedbackOut, FeedbacksIn, FeedbacksOut, RatingPage, RatingQuery

router = Router(tags=["ratings"])

_BODY = (400, 404, 413, 415)

_LIMITS = limits("api", "feedback")

_VALUES = {"like": Rating.Value.LIKE, "dislike": Rating.Value.DISLIKE, "clear": None}

_WORDS = {1: "like", -1: "dislike", 0: None}


@router.post(
    "/feedback",
    summary="Like or dislike a song",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(FeedbackOut, *_BODY),
)
def give_feedback(request: HttpRequest, body: FeedbackIn) -> Any:
    """Like or dislike a song, or remove your rating. Your next recommendations take it into account."""
    track = get_object_or_404(Track.objects.active(), pk=body.song_id)
    try:
        services.rate(user=listener_of(request), track=track, value=_VALUES[body.value])
    except HiddenTrackError as error:
        raise Http404 from error
    return {"song_id": track.pk, "value": None if body.value == "clear" else body.value}


@router.post(
    "/feedback/several",
    summary="Like or dislike several songs",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(FeedbacksOut, 400, 413, 415),
)
def give_several(request: HttpRequest, body: FeedbacksIn) -> Any:
    """Rate up to 100 songs at once. Songs that aren't in the catalogue are left out and named in `unknown_songs`."""
    user = listener_of(request)
    values = {item.song_id: item.value for item in body.items}
    tracks = tracks_in_order(values)
    with transaction.atomic():
        for track in tracks:
            services.rate(user=user, track=track, value=_VALUES[values[track.pk]])
    items = [
        {"song_id": track.pk, "value": None if values[track.pk] == "clear" else values[track.pk]} for track in tracks
    ]
    return {"items": items, "unknown_songs": unknown_ids(values, tracks)}


@router.get(
    "/feedback/{song_id}", summary="Get your rating of a song", auth=LISTENER, response=responses(FeedbackOut, 404)
)
def feedback_of_song(request: HttpRequest, song_id: RowId) -> Any:
    """Whether you like or dislike a song."""
    track = get_object_or_404(Track.objects.active(), pk=song_id)
    return {"song_id": track.pk, "value": _WORDS[selectors.rating_of(listener_of(request), track)]}


@router.get("/user/ratings", summary="List your likes or dislikes", auth=LISTENER, response=responses(RatingPage))
def ratings(request: HttpRequest, page: Query[PageQuery], query: Query[RatingQuery]) -> Any:
    """Your likes or dislikes, latest first."""
    rows = selectors.ratings_of(listener_of(request), _VALUES[query.value] or 0, query.q)
    items, more = newest_page(rows, name=f"ratings:{query.value}:{query.q}", by="updated_at", page=page)
    return {"items": items, "next": more}
