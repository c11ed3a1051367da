"""Calls about a past that is brought along from elsewhere, and the history as a file."""

from typing import Any, Literal

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from ninja import File, Form, Query, Router, Status
from ninja.files import UploadedFile

from accounts.apikit.auth import LISTENER, limits, listener_of
from accounts.apikit.paging import PageQuery, newest_page, ranked_page
from accounts.apikit.problems import ProblemError, answers, file_answer, refuse_form
from catalog.schemas import RowId
from feedback import history_services as services
from feedback.exports import history_csv, page_address
from feedback.history_forms import HistoryUploadForm
from feedback.history_models import HistoryImport, UnmatchedSong
from feedback.history_schemas import HistoryImportOut, HistoryImportPage, UnmatchedPage
from feedback.schemas import HistoryQuery
from feedback.selectors import history_of
from jobs.services import JobError

router = Router(tags=["history"])
_LIMITS = limits("api", "feedback")
Action = Literal["stop", "continue", "undo"]
_CHANGES = {"stop": services.stop_import, "continue": services.continue_import, "undo": services.undo_import}


@router.get("/user/history.csv", auth=LISTENER, response=answers(bytes), openapi_extra=file_answer("text/csv"))
def export(request: HttpRequest, query: Query[HistoryQuery]) -> HttpResponseBase:
    """Your plays as a CSV file, streamed; times are UTC."""
    return history_csv(history_of(listener_of(request), query.q, query.outcome or ""), page_address(request))


@router.get("/user/history/imports", auth=LISTENER, response=answers(HistoryImportPage))
def imports(request: HttpRequest, page: Query[PageQuery]) -> Any:
    """The histories you brought along, the latest first."""
    rows = HistoryImport.objects.filter(user=listener_of(request))
    found, more = newest_page(rows, name="imports", by="created_at", page=page)
    return {"items": found, "next": more}


@router.post(
    "/user/history/imports",
    auth=LISTENER,
    throttle=_LIMITS,
    response=answers(HistoryImportOut, 400, 409, 413, status=202),
)
def bring(
    request: HttpRequest,
    file: File[UploadedFile],
    wants_own_songs: Form[Literal["true", "false"]] = "true",
) -> Any:
    """Bring a history along (`multipart/form-data`): Spotify's, Last.fm's, ListenBrainz's or Exportify's export.

    It is read in the background: ask `/api/user/history/imports/{import_id}` how far it is. `wants_own_songs`: songs
    that this site does not know count in your taste, too. While an import of yours is not done there is a 409.
    """
    form = HistoryUploadForm({"wants_own_songs": wants_own_songs == "true"}, {"file": file})  # type: ignore[arg-type]
    if not form.is_valid():
        raise refuse_form(form)
    chosen = form.cleaned_data
    try:
        begun = services.begin_import(
            user=listener_of(request), upload=chosen["file"], wants_own_songs=chosen["wants_own_songs"]
        )
    except services.ImportBusyError as error:
        raise ProblemError(409, "Your import before this one is not done yet.") from error
    return Status(202, begun)


@router.get("/user/history/imports/{import_id}", auth=LISTENER, response=answers(HistoryImportOut, 404))
def one_import(request: HttpRequest, import_id: RowId) -> Any:
    """How far an import is, or what it brought."""
    return _mine(request, import_id)


@router.get("/user/history/imports/{import_id}/unmatched", auth=LISTENER, response=answers(UnmatchedPage, 404))
def unmatched(request: HttpRequest, import_id: RowId, page: Query[PageQuery]) -> Any:
    """The songs of an import that this site does not know, the most played first."""
    rows = UnmatchedSong.objects.filter(history_import=_mine(request, import_id))
    ids, more = ranked_page(rows.values_list("pk", flat=True), name=f"unmatched:{import_id}", page=page)
    return {"items": rows.filter(pk__in=ids), "next": more}


@router.post(
    "/user/history/imports/{import_id}/{action}",
    auth=LISTENER,
    throttle=_LIMITS,
    response=answers(HistoryImportOut, 404, 409, status=202),
)
def change_import(request: HttpRequest, import_id: RowId, action: Action) -> Any:
    """Stop an import, go on with it, or undo it: all it brought is taken back, and then it is gone."""
    history = _mine(request, import_id)
    try:
        _CHANGES[action](history=history)
    except JobError as error:
        raise ProblemError(409, f"That is not possible now: {error}.") from error
    return Status(202, _mine(request, import_id))


def _mine(request: HttpRequest, pk: int) -> HistoryImport:
    return get_object_or_404(HistoryImport, pk=pk, user=listener_of(request))
