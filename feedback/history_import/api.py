"""Calls about imports of listening histories."""

from typing import Any, Literal

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import File, Query, Router, Status
from ninja.files import UploadedFile
from ninja.params import functions as values

from accounts.apikit.auth import LISTENER, limits, listener_of
from accounts.apikit.paging import PageQuery, newest_page, ranked_page
from accounts.apikit.problems import ProblemError, refuse_form, responses
from catalog.schemas import RowId
from feedback.history_import import services
from feedback.history_import.forms import HistoryUploadForm
from feedback.history_import.models import HistoryImport, UnmatchedSong, attach_jobs
from feedback.history_import.schemas import FormBool, HistoryImportOut, HistoryImportPage, UnmatchedPage
from jobs.disk import DiskFullError
from jobs.services import JobError

router = Router(tags=["history"])

_LIMITS = limits("api", "feedback")

Action = Literal["stop", "continue", "undo", "day-first", "month-first"]


@router.get("/user/history/imports", summary="List your imports", auth=LISTENER, response=responses(HistoryImportPage))
def imports(request: HttpRequest, page: Query[PageQuery]) -> Any:
    """Your listening history imports, latest first."""
    rows = HistoryImport.objects.filter(user=listener_of(request))
    items, more = newest_page(rows, name="imports", by="created_at", page=page)
    attach_jobs(items)
    return {"items": items, "next": more}


@router.post(
    "/user/history/imports",
    summary="Import a listening history",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(HistoryImportOut, 400, 409, 413, 503, status=202),
)
def bring(
    request: HttpRequest,
    file: File[UploadedFile],
    wants_own_songs: FormBool = values.Form(True),  # noqa: B008 - so that the library sees the default
) -> Any:
    """Upload an export from Spotify, Last.fm, ListenBrainz or another service (`multipart/form-data`).

    It is read in the background. Check `/api/user/history/imports/{import_id}` for progress. With `wants_own_songs`,
    songs that aren't in the catalogue count towards your taste, too. Returns 409 while another import of yours is
    running, and 503 if the server has no room for the file.
    """
    form = HistoryUploadForm({"wants_own_songs": wants_own_songs}, {"file": file})  # type: ignore[arg-type]
    if not form.is_valid():
        raise refuse_form(form)
    chosen = form.cleaned_data
    try:
        begun = services.begin_import(
            user=listener_of(request), upload=chosen["file"], wants_own_songs=chosen["wants_own_songs"]
        )
    except services.ImportBusyError as error:
        raise ProblemError(409, _("Your previous import is still running.")) from error
    except DiskFullError as error:
        raise ProblemError(503, _("There's no room for your file right now. Please try again later.")) from error
    return Status(202, begun)


@router.get(
    "/user/history/imports/{import_id}",
    summary="Get an import",
    auth=LISTENER,
    response=responses(HistoryImportOut, 404),
)
def one_import(request: HttpRequest, import_id: RowId) -> Any:
    """Progress or result of an import."""
    return _mine(request, import_id)


@router.get(
    "/user/history/imports/{import_id}/unmatched",
    summary="List songs not in the catalogue",
    auth=LISTENER,
    response=responses(UnmatchedPage, 404),
)
def unmatched(request: HttpRequest, import_id: RowId, page: Query[PageQuery]) -> Any:
    """Songs from an import that aren't in the catalogue, most played first."""
    rows = UnmatchedSong.objects.filter(history_import=_mine(request, import_id))
    ids, more = ranked_page(rows.values_list("pk", flat=True), name=f"unmatched:{import_id}", page=page)
    return {"items": rows.filter(pk__in=ids), "next": more}


@router.post(
    "/user/history/imports/{import_id}/{action}",
    summary="Stop, continue or undo an import",
    auth=LISTENER,
    throttle=_LIMITS,
    response=responses(HistoryImportOut, 404, 409, status=202),
)
def change_import(request: HttpRequest, import_id: RowId, action: Action) -> Any:
    """Stop an import, continue it, or undo it. Undoing removes everything it added, and the import itself.

    `day-first` and `month-first` answer its question about dates, and continue it.
    """
    history = _mine(request, import_id)
    try:
        services.CHANGES[action](history=history)
    except JobError as error:
        raise ProblemError(409, _("That isn't possible right now: %(reason)s.") % {"reason": error}) from error
    return Status(202, _mine(request, import_id))


def _mine(request: HttpRequest, pk: int) -> HistoryImport:
    return get_object_or_404(HistoryImport, pk=pk, user=listener_of(request))
