"""Calls of the player: the queue, and by what means a song can be played; and the taste as it is believed to be."""

from typing import Any, Literal
from uuid import UUID

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema, Status
from pydantic import Field

from accounts.apikit.auth import LISTENER, LISTENER_WHO_WRITES, limits, listener_of, refuse_other_sites
from accounts.apikit.problems import ProblemError, answers, refuse_form
from accounts.models import User
from accounts.schemas import Strict
from catalog.models import Track
from catalog.schemas import MAX_ID, RowId, SongRef
from catalog.selectors import tracks_in_order
from feedback import queue_services
from feedback.play_services import OtherSongError, report_play
from feedback.player_forms import PlayListForm
from feedback.player_json import track_json
from feedback.queue_models import PlayQueue
from feedback.queue_selectors import items_ahead, items_for_list, queue_state
from feedback.schemas import UUID_PATTERN
from feedback.services import HiddenTrackError
from feedback.steering_models import TasteExclusion
from feedback.steering_schemas import SongId, TasteOut
from recommender.radio import next_song
from recommender.taste import taste_of

router = Router(tags=["player"])
taste_router = Router(tags=["steering"])
_BODY = (400, 404, 413, 415)
_LIMITS = limits("api", "feedback")
_SHOWN = 50


class MeansOut(Schema):
    """By what a song can be played; empty where there is nothing."""

    spotify: str = Field(examples=["spotify:track:4uLU6hMCjMI75M1A2tKUQC"])
    preview: str = Field(examples=["https://audio.example.org/1.mp3"])
    sketch: str = Field(description="Music made from the song's features.", examples=["/songs/1482/sketch.wav"])


class CurrentOut(Schema):
    """The item of the queue that plays."""

    item: int
    is_radio: bool = Field(description="Recommended, not chosen.")
    song: SongRef
    means: MeansOut


class PlaybackOut(Schema):
    """Where your player is."""

    current: CurrentOut | None
    shuffle: bool
    has_previous: bool
    ahead: int = Field(description="Songs that are yet to come.")


class QueueItemOut(Schema):
    """A song that is yet to come."""

    id: int
    is_radio: bool
    song: SongRef = Field(validation_alias="track")


class QueueIn(Strict):
    """Songs for the queue."""

    songs: list[SongId] = Field(min_length=1, max_length=500, examples=[[1482, 77]])
    is_next: bool = Field(False, description="Right after the song that plays.")


class ListIn(Strict):
    """What to play in place of the queue: songs by id, or all songs of a `source`."""

    songs: list[SongId] = Field([], max_length=500, examples=[[1482, 77]])
    source: Literal["likes", "playlist", "artist", "genre"] | None = Field(None, examples=["playlist"])
    source_id: SongId | None = Field(None, description="Of the playlist, artist or genre.", examples=[5])
    first: SongId | None = Field(None, description="The song to begin with; else the first one.", examples=[77])


class NextQuery(Schema):
    """From where."""

    after: int | None = Field(
        None,
        ge=1,
        le=MAX_ID,
        description="The item that was playing: where another device has moved on meanwhile, its place holds.",
    )


class ShuffleIn(Strict):
    """Shuffle on or off."""

    is_on: bool


class ReportIn(Strict):
    """How far a play has come; may be sent again, later ones win."""

    song_id: SongId = Field(examples=[1482])
    token: str = Field(pattern=UUID_PATTERN, examples=["6c84fb90-12c4-11e1-840d-7b25c5ee775a"])
    ms_played: int = Field(ge=0, le=86_400_000, examples=[31000])
    outcome: str = Field(pattern="^(started|completed|skipped)$", examples=["completed"])


@router.get("", auth=LISTENER, response=answers(PlaybackOut))
def state(request: HttpRequest) -> Any:
    """Where your player is."""
    return _state(listener_of(request))


def _play(request: HttpRequest, song_id: int) -> Any:
    refuse_other_sites(request)
    user, track = listener_of(request), get_object_or_404(Track.objects.active(), pk=song_id)
    queue_services.play_now(user=user, track=track)
    return _state(user)


@router.get("/play/{song_id}", auth=LISTENER_WHO_WRITES, throttle=_LIMITS, response=answers(PlaybackOut, 404))
def play(request: HttpRequest, song_id: RowId) -> Any:
    """Play a song at once; what was to come follows it. Refused when a page of another site asks."""
    return _play(request, song_id)


@router.post("/play/{song_id}", auth=LISTENER, throttle=_LIMITS, response=answers(PlaybackOut, 404))
def play_by_post(request: HttpRequest, song_id: RowId) -> Any:
    """Play a song at once; what was to come follows it."""
    return _play(request, song_id)


def _next(request: HttpRequest, after: int | None) -> Any:
    refuse_other_sites(request)
    user = listener_of(request)
    next_song(user=user, after=after)
    return _state(user)


@router.get("/next", auth=LISTENER_WHO_WRITES, throttle=_LIMITS, response=answers(PlaybackOut))
def go_next(request: HttpRequest, query: Query[NextQuery]) -> Any:
    """Go to the next song; at the end of the queue, on to recommended ones."""
    return _next(request, query.after)


@router.post("/next", auth=LISTENER, throttle=_LIMITS, response=answers(PlaybackOut))
def go_next_by_post(request: HttpRequest, query: Query[NextQuery]) -> Any:
    """Go to the next song; at the end of the queue, on to recommended ones."""
    return _next(request, query.after)


def _previous(request: HttpRequest) -> Any:
    refuse_other_sites(request)
    user = listener_of(request)
    queue_services.go_previous(user=user)
    return _state(user)


@router.get("/previous", auth=LISTENER_WHO_WRITES, throttle=_LIMITS, response=answers(PlaybackOut))
def previous(request: HttpRequest) -> Any:
    """Go back one song."""
    return _previous(request)


@router.post("/previous", auth=LISTENER, throttle=_LIMITS, response=answers(PlaybackOut))
def previous_by_post(request: HttpRequest) -> Any:
    """Go back one song."""
    return _previous(request)


@router.get("/pause", auth=LISTENER, response=answers(PlaybackOut))
def pause(request: HttpRequest) -> Any:
    """The device that plays does the pausing: this only answers what to come back to, and changes nothing."""
    return _state(listener_of(request))


@router.post("/pause", auth=LISTENER, response=answers(PlaybackOut))
def pause_by_post(request: HttpRequest) -> Any:
    """The device that plays does the pausing: this only answers what to come back to, and changes nothing."""
    return _state(listener_of(request))


@router.get("/queue", auth=LISTENER, response=answers(list[QueueItemOut]))
def queue(request: HttpRequest) -> Any:
    """The songs that are yet to come, 50 at most."""
    found = PlayQueue.objects.filter(user=listener_of(request)).first()
    return list(items_for_list(items_ahead(found))[:_SHOWN]) if found else []


@router.post("/queue", auth=LISTENER, throttle=_LIMITS, response=answers(PlaybackOut, 409, *_BODY))
def add(request: HttpRequest, body: QueueIn) -> Any:
    """Add songs; those that do not exist are left out."""
    user = listener_of(request)
    try:
        queue_services.add(user=user, tracks=tracks_in_order(body.songs), is_next=body.is_next)
    except queue_services.QueueFullError as error:
        raise ProblemError(409, "The queue is full.") from error
    return _state(user)


@router.put("/queue", auth=LISTENER, throttle=_LIMITS, response=answers(PlaybackOut, *_BODY))
def play_list(request: HttpRequest, body: ListIn) -> Any:
    """Play a list of songs in place of the queue; songs that do not exist are left out."""
    user = listener_of(request)
    values = {**body.dict(exclude_none=True), "tracks": ",".join(map(str, body.songs))}
    form = PlayListForm(values)
    if not form.is_valid():
        raise refuse_form(form)
    found = form.song_list(user)
    queue_services.play_all(user=user, tracks=found.tracks, first=form.cleaned_data["first"])
    return _state(user)


@router.post("/queue/{item_id}/play", auth=LISTENER, throttle=_LIMITS, response=answers(PlaybackOut, 404))
def jump(request: HttpRequest, item_id: RowId) -> Any:
    """Go to an item of the queue."""
    user = listener_of(request)
    if not queue_services.jump(user=user, item_id=item_id):
        raise Http404("no such item")
    return _state(user)


@router.delete("/queue", auth=LISTENER, throttle=_LIMITS, response=answers(PlaybackOut))
def clear(request: HttpRequest) -> Any:
    """Take out all that is yet to come."""
    user = listener_of(request)
    queue_services.clear(user=user)
    return _state(user)


@router.delete("/queue/{item_id}", auth=LISTENER, throttle=_LIMITS, response=answers(PlaybackOut, 404))
def remove(request: HttpRequest, item_id: RowId) -> Any:
    """Take an item out of the queue."""
    user = listener_of(request)
    if not queue_services.remove(user=user, item_id=item_id):
        raise Http404("no such item")
    return _state(user)


@router.put("/shuffle", auth=LISTENER, throttle=_LIMITS, response=answers(PlaybackOut, *_BODY))
def shuffle(request: HttpRequest, body: ShuffleIn) -> Any:
    """Turn shuffle on or off."""
    user = listener_of(request)
    queue_services.set_shuffle(user=user, is_on=body.is_on)
    return _state(user)


@router.post("/report", auth=LISTENER, throttle=_LIMITS, response=answers(None, *_BODY, status=204))
def report(request: HttpRequest, body: ReportIn) -> Any:
    """Note how far a play has come."""
    track = get_object_or_404(Track.objects.active(), pk=body.song_id)
    try:
        report_play(
            user=listener_of(request),
            track=track,
            token=UUID(body.token),
            ms_played=body.ms_played,
            outcome=body.outcome,
        )
    except (HiddenTrackError, OtherSongError) as error:
        raise Http404 from error
    return Status(204, None)


@taste_router.get("/user/taste", auth=LISTENER, response=answers(TasteOut))
def taste(request: HttpRequest) -> Any:
    """What is believed of your taste; empty before anything was learned."""
    user = listener_of(request)
    found = taste_of(user)
    return {
        "artists": found.artists if found else [],
        "genres": found.genres if found else [],
        "sound": found.sound if found else [],
        "words": [str(word) for word in found.words] if found else [],
        "amount": found.amount if found else 0.0,
        "exclusions": list(TasteExclusion.objects.filter(user=user)[:1000]),
        "private_since": user.private_since,
    }


def _state(user: User) -> dict[str, Any]:
    found = queue_state(user)
    item = found.current
    current = item and {
        "item": item.pk,
        "is_radio": item.is_radio,
        "song": item.track,
        "means": track_json(user, item.track)["means"],
    }
    return {
        "current": current,
        "shuffle": found.is_shuffled,
        "has_previous": found.has_previous,
        "ahead": found.ahead,
    }
