"""Calls about what the listener did and said: ratings, plays, preferences."""

from typing import Any

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Status

from accounts.apikit.auth import LISTENER, limits, listener_of
from accounts.apikit.once import answer_once
from accounts.apikit.paging import PageQuery, newest_page
from accounts.apikit.problems import answers, refuse_form
from accounts.models import User
from catalog.models import Track
from catalog.schemas import RowId
from feedback import selectors, services
from feedback.forms import PreferencesForm
from feedback.models import Play, Rating
from feedback.schemas import (
    FeedbackIn,
    FeedbackOut,
    HistoryQuery,
    OnceKey,
    PlayIn,
    PlayOut,
    PlayPage,
    PreferencesIn,
    PreferencesOut,
    RatingPage,
    RatingQuery,
    RemovedOut,
    RestoreIn,
    StatisticsOut,
    StatisticsQuery,
)
from feedback.statistics import statistics_of, zone_of

router = Router(tags=["feedback"])
_BODY = (400, 404, 413, 415)
_LIMITS = limits("api", "feedback")
_VALUES = {"like": Rating.Value.LIKE, "dislike": Rating.Value.DISLIKE, "clear": None}
_WORDS = {1: "like", -1: "dislike", 0: None}
# So many likes and dislikes are told along with the preferences.
_LATEST = 50


@router.get("/user/statistics", auth=LISTENER, response=answers(StatisticsOut))
def statistics(request: HttpRequest, query: Query[StatisticsQuery]) -> Any:
    """What your plays of a period add up to, in your time zone."""
    user = listener_of(request)
    zone = zone_of(user)
    return {"time_zone": str(zone), **vars(statistics_of(user, query.period))}


@router.post("/feedback", auth=LISTENER, throttle=_LIMITS, response=answers(FeedbackOut, *_BODY))
def give_feedback(
    request: HttpRequest,
    body: FeedbackIn,
    idempotency_key: OnceKey = None,
) -> Any:
    """Like or dislike a song, or clear what you said. The next recommendations have learned from it."""
    user = listener_of(request)

    def work() -> dict[str, Any]:
        track = get_object_or_404(Track.objects.active(), pk=body.song_id)
        try:
            services.rate(user=user, track=track, value=_VALUES[body.value])
        except services.HiddenTrackError as error:
            raise Http404 from error
        return {"song_id": track.pk, "value": None if body.value == "clear" else body.value}

    return answer_once(request, user=user, key=idempotency_key, work=work)


@router.get("/feedback/{song_id}", auth=LISTENER, response=answers(FeedbackOut, 404))
def feedback_of_song(request: HttpRequest, song_id: RowId) -> Any:
    """What you said about a song."""
    track = get_object_or_404(Track.objects.active(), pk=song_id)
    return {"song_id": track.pk, "value": _WORDS[selectors.mark_of(listener_of(request), track)]}


@router.get("/user/ratings", auth=LISTENER, response=answers(RatingPage))
def ratings(request: HttpRequest, page: Query[PageQuery], query: Query[RatingQuery]) -> Any:
    """Your likes or dislikes, the latest first."""
    rows = selectors.ratings_of(listener_of(request), _VALUES[query.value] or 0, query.q)
    found, more = newest_page(rows, name=f"ratings:{query.value}:{query.q}", by="updated_at", page=page)
    return {"items": found, "next": more}


@router.get("/user/preferences", auth=LISTENER, response=answers(PreferencesOut))
def preferences(request: HttpRequest) -> Any:
    """What you said you like."""
    return _preferences(listener_of(request))


@router.put("/user/preferences", auth=LISTENER, throttle=_LIMITS, response=answers(PreferencesOut, *_BODY))
def change_preferences(request: HttpRequest, body: PreferencesIn) -> Any:
    """Say which genres and artists you like. Ids that do not exist are left out."""
    user = listener_of(request)
    form = PreferencesForm({"genre": body.genres, "artist": body.artists})
    if not form.is_valid():
        raise refuse_form(form)
    services.set_preferences(user=user, genres=form.cleaned_data["genre"], artists=form.cleaned_data["artist"])
    return _preferences(user)


@router.get("/user/history", auth=LISTENER, response=answers(PlayPage))
def history(request: HttpRequest, page: Query[PageQuery], query: Query[HistoryQuery]) -> Any:
    """Your plays, the latest first."""
    rows = selectors.history_of(listener_of(request), query.q, query.outcome or "")
    name = f"history:{query.outcome}:{query.q}"
    found, more = newest_page(rows, name=name, by="played_at", page=page)
    return {"items": found, "next": more}


@router.post("/user/history", auth=LISTENER, throttle=_LIMITS, response=answers(PlayOut, *_BODY, status=201))
def add_play(request: HttpRequest, body: PlayIn) -> Any:
    """Note that you listen to a song now."""
    user = listener_of(request)
    track = get_object_or_404(Track.objects.active(), pk=body.song_id)
    try:
        play, _is_new = services.record_play(user=user, track=track, token=body.uuid)
    except services.HiddenTrackError as error:
        raise Http404 from error
    return Status(201, get_object_or_404(selectors.history_of(user), pk=play.pk))


@router.post("/user/history/restore", auth=LISTENER, throttle=_LIMITS, response=answers(PlayOut, *_BODY))
def restore_play(request: HttpRequest, body: RestoreIn) -> Any:
    """Put a removed play back."""
    user = listener_of(request)
    try:
        play = services.restore_play(user=user, removed=body.undo)
    except services.UndoError as error:
        raise Http404 from error
    return get_object_or_404(selectors.history_of(user), pk=play.pk)


@router.delete("/user/history/{play_id}", auth=LISTENER, throttle=_LIMITS, response=answers(RemovedOut, 404))
def remove_play(request: HttpRequest, play_id: RowId) -> Any:
    """Take a play out of your history."""
    play = get_object_or_404(Play.objects.select_related("track"), pk=play_id, user=listener_of(request))
    return {"undo": services.remove_play(play=play)}


def _preferences(user: User) -> dict[str, Any]:
    likes = selectors.ratings_of(user, Rating.Value.LIKE)
    dislikes = selectors.ratings_of(user, Rating.Value.DISLIKE)
    return {
        "genres": list(selectors.preferred_genres(user)),
        "artists": list(selectors.preferred_artists(user)),
        "likes": [rating.track for rating in likes[:_LATEST]],
        "dislikes": [rating.track for rating in dislikes[:_LATEST]],
        "like_count": likes.count(),
        "dislike_count": dislikes.count(),
    }
