"""Calls of the queue: what the listener's player goes through."""

from typing import Any

from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from ninja import Query, Router

from accounts.apikit.auth import LISTENER, limits, listener_of
from accounts.apikit.paging import PageQuery, read_cursor, write_cursor
from accounts.apikit.problems import ProblemError, refuse_form, responses
from catalog.schemas import RowId
from catalog.selectors import tracks_in_order, unknown_ids
from feedback.player.forms import PlayListForm
from feedback.playlists.schemas import PlaceIn
from feedback.queue import services as queue_services
from feedback.queue.models import PlayQueue
from feedback.queue.selectors import items_ahead, items_for_list
from recommender.api.playback_state import playback_of
from recommender.api.player_schemas import ListIn, PlaybackOut, QueueIn, QueuePage

router = Router(tags=["playback"])
_BODY = (400, 404, 413, 415)
_LIMITS = limits("api", "feedback")


@router.get("", summary="List the queue", auth=LISTENER, response=responses(QueuePage))
def queue(request: HttpRequest, page: Query[PageQuery]) -> Any:
    """Upcoming songs, one page at a time."""
    play_queue = PlayQueue.objects.filter(user=listener_of(request)).first()
    if play_queue is None:
        return {"items": [], "next": None}
    rows = items_ahead(play_queue)
    if page.cursor:
        rows = rows.filter(position__gt=read_cursor("queue", page.cursor)[0])
    items = list(items_for_list(rows)[: page.size + 1])
    is_more = len(items) > page.size
    items = items[: page.size]
    return {"items": items, "next": write_cursor("queue", [items[-1].position]) if is_more else None}


@router.post(
    "",
    summary="Add songs to the queue",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(PlaybackOut, 409, *_BODY),
)
def add(request: HttpRequest, body: QueueIn) -> Any:
    """Add songs to the queue. Unknown songs are left out and named in `unknown_songs`."""
    user, tracks = listener_of(request), tracks_in_order(body.songs)
    try:
        queue_services.add(user=user, tracks=tracks, is_next=body.is_next)
    except queue_services.QueueFullError as error:
        raise ProblemError(409, _("Your queue is full. Remove some songs first.")) from error
    return playback_of(user, unknown_songs=unknown_ids(body.songs, tracks))


@router.put("", summary="Replace the queue", auth=LISTENER, throttle=_LIMITS, response=responses(PlaybackOut, *_BODY))
def play_list(request: HttpRequest, body: ListIn) -> Any:
    """Play a list of songs instead of the current queue. Unknown songs are left out and named in `unknown_songs`.

    Without any song to play (422), the queue stays as it is.
    """
    user = listener_of(request)
    values = {**body.dict(exclude_none=True), "tracks": ",".join(map(str, body.songs))}
    form = PlayListForm(values, user=user)
    if not form.is_valid():
        raise refuse_form(form, {"tracks": "songs"})
    tracks = form.cleaned_data["list"].tracks
    queue_services.play_all(user=user, tracks=tracks, first=form.cleaned_data["first"])
    return playback_of(user, unknown_songs=unknown_ids(body.songs, tracks) if body.source is None else ())


@router.post(
    "/{item_id}/play",
    summary="Jump to a queued song",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(PlaybackOut, 404),
)
def jump(request: HttpRequest, item_id: RowId) -> Any:
    """Jump to an item in the queue."""
    user = listener_of(request)
    if not queue_services.jump(user=user, item_id=item_id):
        raise Http404("no such item")
    return playback_of(user)


@router.put(
    "/{item_id}",
    summary="Move a queued song",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(PlaybackOut, *_BODY),
)
def move(request: HttpRequest, item_id: RowId, body: PlaceIn) -> Any:
    """Move an upcoming item to another position among the upcoming ones."""
    user = listener_of(request)
    if not queue_services.move(user=user, item_id=item_id, index=body.position):
        raise Http404("no such item ahead")
    return playback_of(user)


@router.delete("", summary="Clear the queue", auth=LISTENER, throttle=_LIMITS, response=responses(PlaybackOut))
def clear(request: HttpRequest) -> Any:
    """Remove all upcoming songs."""
    user = listener_of(request)
    queue_services.clear(user=user)
    return playback_of(user)


@router.delete(
    "/{item_id}",
    summary="Remove a queued song",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(PlaybackOut, 404),
)
def remove(request: HttpRequest, item_id: RowId) -> Any:
    """Remove an item from the queue."""
    user = listener_of(request)
    if not queue_services.remove(user=user, item_id=item_id):
        raise Http404("no such item")
    return playback_of(user)
