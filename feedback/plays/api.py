"""Calls about plays, and the history as a file."""

from typing import Any, Literal

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Status

from accounts.apikit.auth import LISTENER, limits, listener_of
from accounts.apikit.paging import PageQuery, newest_page
from accounts.apikit.problems import ProblemError, file_response, responses
from accounts.models import User
from catalog.models import Track
from catalog.schemas import RowId
from feedback.hidden import HiddenTrackError
from feedback.plays import double_jobs, selectors, services
from feedback.plays.doubles import doubles_of
from feedback.plays.exports import history_csv
from feedback.plays.models import Play
from feedback.plays.schemas import DuplicatesOut, HistoryQuery, PlayIn, PlayOut, PlayPage, RemovedOut, RestoreIn
from feedback.web.exports import page_address
from jobs.services import JobError

router = Router(tags=["history"])

_BODY = (400, 404, 413, 415)

_LIMITS = limits("api", "feedback")
# So many duplicates are listed.
MAX_DUPLICATES = 100


@router.get("/user/history", summary="List your plays", auth=LISTENER, response=responses(PlayPage))
def history(request: HttpRequest, page: Query[PageQuery], query: Query[HistoryQuery]) -> Any:
    """Your plays, latest first."""
    rows = selectors.history_of(listener_of(request), query.q, query.outcome or "")
    name = f"history:{query.outcome}:{query.q}"
    items, more = newest_page(rows, name=name, by="played_at", page=page)
    return {"items": items, "next": more}


@router.post(
    "/user/history",
    summary="Record a play",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(PlayOut, 409, *_BODY, status=201),
)
def add_play(request: HttpRequest, body: PlayIn) -> Any:
    """Record that you are playing a song now."""
    user = listener_of(request)
    track = get_object_or_404(Track.objects.active(), pk=body.song_id)
    try:
        play, _is_new = services.record_play(user=user, track=track, token=body.uuid)
    except HiddenTrackError as error:
        raise Http404 from error
    return Status(201, get_object_or_404(selectors.history_of(user), pk=play.pk))


@router.post(
    "/user/history/restore",
    summary="Restore a play",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(PlayOut, 409, *_BODY),
)
def restore_play(request: HttpRequest, body: RestoreIn) -> Any:
    """Restore a play that you removed."""
    user = listener_of(request)
    try:
        play = services.restore_play(user=user, removed=body.undo)
    except services.UndoError as error:
        raise Http404 from error
    return get_object_or_404(selectors.history_of(user), pk=play.pk)


@router.get(
    "/user/history/duplicates", summary="List duplicate plays", auth=LISTENER, response=responses(DuplicatesOut)
)
def duplicates(request: HttpRequest) -> Any:
    """Plays that two sources, such as Spotify and Last.fm, have recorded."""
    return _duplicates(listener_of(request))


@router.post(
    "/user/history/duplicates/{action}",
    summary="Remove or restore duplicate plays",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(DuplicatesOut, 409, status=202),
)
def change_duplicates(request: HttpRequest, action: Literal["remove", "restore"]) -> Any:
    """Remove the plays with fewer details, or restore all that were removed, in the background.

    Check `/api/user/history/duplicates` for progress. Returns 409 while the other of the two is running.
    """
    user = listener_of(request)
    try:
        double_jobs.request_change(user=user, action=action)
    except JobError as error:
        raise ProblemError(409, "Your duplicates are being removed or restored already.") from error
    return Status(202, _duplicates(user))


def _duplicates(user: User) -> dict[str, Any]:
    number, first = doubles_of(user, MAX_DUPLICATES)
    job = double_jobs.latest_job(user)
    action = "remove" if job is not None and job.kind == double_jobs.REMOVE else "restore"
    return {
        "duplicates": number,
        "removed": user.removed_doubles.count(),
        "job": job and {"action": action, "status": job.state, "percent": job.percent},
        "items": first,
    }


@router.delete(
    "/user/history/{play_id}",
    summary="Remove a play",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(RemovedOut, 404),
)
def remove_play(request: HttpRequest, play_id: RowId) -> Any:
    """Remove a play from your history."""
    play = get_object_or_404(Play.objects.select_related("track"), pk=play_id, user=listener_of(request))
    return {"undo": services.remove_play(play=play)}


@router.get(
    "/user/history.csv",
    summary="Download your history as CSV",
    auth=LISTENER,
    response=responses(bytes),
    openapi_extra=file_response("text/csv"),
)
def export(request: HttpRequest, query: Query[HistoryQuery]) -> HttpResponseBase:
    """Your plays as a streamed CSV file. Times are in UTC."""
    return history_csv(selectors.history_of(listener_of(request), query.q, query.outcome or ""), page_address(request))
