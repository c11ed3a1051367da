"""The player's JSON endpoints, and the queue panel. Going to the next song belongs to the recommender."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, cast

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.limits.limiter import limited
from accounts.models import User
from feedback.hidden import HiddenTrackError
from feedback.player.forms import (
    AddForm,
    DeviceForm,
    ItemForm,
    MoveForm,
    PlayingForm,
    PlayListForm,
    ReportForm,
    ShuffleForm,
    TrackForm,
)
from feedback.player.state import player_state
from feedback.plays.services import OtherSongError, report_play
from feedback.queue import services as queue_services
from feedback.queue.models import PlayQueue
from feedback.queue.selectors import current_item, items_ahead, items_behind, queue_version, shown_items

# Number of upcoming and of past songs in the panel.
SHOWN_AHEAD = 50
SHOWN_BEHIND = 5

View = Callable[..., HttpResponse]


def for_player(view: View) -> View:
    """Answer strangers with 401: a script cannot follow them to the log-in."""

    @never_cache
    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return JsonResponse({"error": _("Please log in.")}, status=401)
        answer = view(request, *args, **kwargs)
        form = DeviceForm(request.POST)
        if answer.status_code == HTTPStatus.OK and form.is_valid():
            # The page that sent this plays now, so the previous one must not start the same song.
            queue_services.take_over(user=listener(request), device=form.cleaned_data["device"])
        return answer

    return wrapper


def refused(form: forms.BaseForm) -> JsonResponse:
    """Return the answer to input that does not fit: the problems by field."""
    return JsonResponse(
        {"error": _("That didn't work. Please try again."), "fields": form.errors.get_json_data()}, status=422
    )


def listener(request: HttpRequest) -> User:
    """Return who is logged in."""
    return cast(User, request.user)


def state_answer(request: HttpRequest) -> JsonResponse:
    """Return the queue's state, with which every change is answered."""
    return JsonResponse(player_state(listener(request)))


@require_safe
@for_player
def state(request: HttpRequest) -> HttpResponse:
    """Tell where the listener's player is; a page that asks again and again is told only what has changed."""
    version = f'"{queue_version(listener(request))}"'
    if request.headers.get("If-None-Match") == version:
        return HttpResponse(status=304, headers={"ETag": version})
    answer = state_answer(request)
    answer["ETag"] = version
    return answer


@require_POST
@for_player
def playing(request: HttpRequest) -> HttpResponse:
    """Note that a page began to play or was paused."""
    form = PlayingForm(request.POST)
    if not form.is_valid():
        return refused(form)
    data = form.cleaned_data
    queue_services.set_playing(
        user=listener(request), is_playing=data["playing"], song_ms=data["song_ms"], device=data["device"]
    )
    return state_answer(request)


@require_safe
@for_player
def panel(request: HttpRequest) -> HttpResponse:
    """Show the queue: what was, what plays, what is to come."""
    queue = PlayQueue.objects.filter(user=listener(request)).first() or PlayQueue(user=listener(request))
    ahead = items_ahead(queue)[: SHOWN_AHEAD + 1] if queue.pk else []
    behind = items_behind(queue)[:SHOWN_BEHIND] if queue.pk else []
    rows = list(ahead)
    songs = shown_items(queue).values_list("track_id", flat=True) if queue.pk else []
    context = {
        "queue": queue,
        "current": current_item(queue) if queue.pk else None,
        "behind": list(behind)[::-1],
        "ahead": rows[:SHOWN_AHEAD],
        "has_more": len(rows) > SHOWN_AHEAD,
        "song_ids": ",".join(str(pk) for pk in songs),
    }
    return render(request, "feedback/_queue.html", context)


@require_POST
@for_player
def play_now(request: HttpRequest) -> HttpResponse:
    """Play one song at once."""
    form = TrackForm(request.POST)
    if not form.is_valid():
        return refused(form)
    queue_services.play_now(user=listener(request), track=form.cleaned_data["track"])
    return state_answer(request)


@require_POST
@for_player
def play_list(request: HttpRequest) -> HttpResponse:
    """Play a list of songs in place of the queue."""
    form = PlayListForm(request.POST, user=listener(request))
    if not form.is_valid():
        return refused(form)
    songs = form.cleaned_data["list"]
    queue_services.play_all(
        user=listener(request),
        tracks=songs.tracks,
        origin=songs.origin,
        origin_url=songs.origin_url,
        first=form.cleaned_data["first"],
    )
    return state_answer(request)


@require_POST
@for_player
def add(request: HttpRequest) -> HttpResponse:
    """Add songs to the queue."""
    form = AddForm(request.POST)
    if not form.is_valid():
        return refused(form)
    try:
        queue_services.add(
            user=listener(request), tracks=form.cleaned_data["tracks"], is_next=form.cleaned_data["next"]
        )
    except queue_services.QueueFullError:
        return JsonResponse({"error": _("Your queue is full. Remove some songs first.")}, status=409)
    return state_answer(request)


@require_POST
@for_player
def remove(request: HttpRequest) -> HttpResponse:
    """Take an item out of the queue."""
    return _with_item(request, queue_services.remove)


@require_POST
@for_player
def move(request: HttpRequest) -> HttpResponse:
    """Move an item of the queue that is yet to come."""
    form = MoveForm(request.POST)
    if not form.is_valid():
        return refused(form)
    data = form.cleaned_data
    if not queue_services.move(user=listener(request), item_id=data["item"], index=data["index"]):
        raise Http404("no such item in the queue")
    return state_answer(request)


@require_POST
@for_player
def jump(request: HttpRequest) -> HttpResponse:
    """Go to an item of the queue."""
    return _with_item(request, queue_services.jump)


@require_POST
@for_player
def previous(request: HttpRequest) -> HttpResponse:
    """Go back one song."""
    queue_services.go_previous(user=listener(request))
    return state_answer(request)


@require_POST
@for_player
def shuffle(request: HttpRequest) -> HttpResponse:
    """Turn shuffle on or off."""
    form = ShuffleForm(request.POST)
    form.full_clean()
    queue_services.set_shuffle(user=listener(request), is_on=form.cleaned_data["on"])
    return state_answer(request)


@require_POST
@for_player
def clear(request: HttpRequest) -> HttpResponse:
    """Take out all that is to come."""
    queue_services.clear(user=listener(request))
    return state_answer(request)


@require_POST
@limited("feedback")
@for_player
def report(request: HttpRequest) -> HttpResponse:
    """Note how far a play has come; a closing page sends this too."""
    form = ReportForm(request.POST)
    if not form.is_valid():
        return refused(form)
    data = form.cleaned_data
    try:
        report_play(
            user=listener(request),
            track=data["track"],
            token=data["token"],
            ms_played=data["ms_played"],
            outcome=data["outcome"],
            is_known=data["known"],
        )
    except (HiddenTrackError, OtherSongError) as error:
        raise Http404 from error
    return HttpResponse(status=204)


def _with_item(request: HttpRequest, change: Callable[..., bool]) -> HttpResponse:
    form = ItemForm(request.POST)
    if not form.is_valid():
        return refused(form)
    if not change(user=listener(request), item_id=form.cleaned_data["item"]):
        raise Http404("no such item in the queue")
    return state_answer(request)
