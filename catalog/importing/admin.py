"""The administration's import of an uploaded catalogue file."""

import csv
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from accounts.personal_data.csv_cells import safe_cell
from catalog.importing.forms import ImportForm, no_room
from catalog.importing.reading.reader import Reject
from catalog.importing.reading.source import SourceError
from catalog.importing.service import ImportBrokenError, ImportReport, import_tracks
from jobs.disk import DiskFullError, refuse_full_disk

# Number of rejected rows on the page; the download has all of them.
SHOWN_REJECTS = 200
# Longer than other SQLite connections sleep between attempts to get the write lock.
_GIVE_WAY_SECONDS = 0.11
_KEPT_SECONDS = 24 * 3600
_TOKEN = re.compile(r"[0-9a-f]{32}")


class RejectsFile:
    """Rejected rows, all of them in a file that can be downloaded for a day and the first ones at hand."""

    def __init__(self, user_id: int) -> None:
        self.token = uuid4().hex
        self.first: list[Reject] = []
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True)
        _drop_old(folder)
        self._path = _path(user_id, self.token)
        self._file = self._path.open("w", newline="", encoding="utf-8")
        self._writer = csv.writer(self._file)
        self._writer.writerow(Reject._fields)

    def add(self, reject: Reject) -> None:
        """Take one rejected row."""
        if len(self.first) < SHOWN_REJECTS:
            self.first.append(reject)
        self._writer.writerow([safe_cell(value) for value in reject])

    @contextmanager
    def finished(self) -> Iterator[None]:
        """Finish the file at the end; an empty one is not kept, and neither is one that nobody is told of."""
        try:
            with self._file:
                yield
        except BaseException:
            self._path.unlink(missing_ok=True)
            raise
        if not self.first:
            self._path.unlink(missing_ok=True)


def import_page(model_admin: "admin.ModelAdmin[Any]", request: HttpRequest) -> HttpResponse:
    """Show the form; with a file sent, import it and show the report."""
    _require_import_permission(model_admin, request)
    form = ImportForm(request.POST or None, request.FILES or None) if request.method == "POST" else ImportForm()
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Import songs"),
        "opts": model_admin.model._meta,
        "form": form,
    }
    if request.method == "POST" and form.is_valid():
        context.update(_run(request, form.cleaned_data))
    return render(request, "admin/catalog/track/import.html", context)


def download_rejects(model_admin: "admin.ModelAdmin[Any]", request: HttpRequest, token: str) -> HttpResponse:
    """Send the rejected rows of an import to the operator who made it."""
    _require_import_permission(model_admin, request)
    path = _path(request.user.pk or 0, token) if _TOKEN.fullmatch(token) else None
    if path is None or not path.is_file():
        raise Http404("no such file")
    # Not closed here: the response does it.
    return FileResponse(path.open("rb"), as_attachment=True, filename="rejected-rows.csv")  # type: ignore[return-value]


def _run(request: HttpRequest, chosen: dict[str, Any]) -> dict[str, Any]:
    upload: UploadedFile[Any] = chosen["file"]
    rejects = RejectsFile(request.user.pk or 0)
    report: ImportReport | None = None
    error = ""
    with rejects.finished():
        try:
            report = import_tracks(
                source=upload.file,  # type: ignore[arg-type]
                name=upload.name,
                is_dry_run=chosen["is_dry_run"],
                mapping=chosen["mapping"],
                max_bytes=settings.MAX_IMPORT_UPLOAD_BYTES,
                on_reject=rejects.add,
                on_progress=_after_chunk,
            )
        except ImportBrokenError as broken:
            report, error = broken.report, str(broken)
        except SourceError as unusable:
            error = str(unusable)
    return {"report": report, "error": error, "rejects": rejects.first, "token": rejects.token}


def _after_chunk(_read: int, _size: int) -> None:
    """Yield to other writers, and stop when the disk is nearly full. What was read before stays."""
    time.sleep(_GIVE_WAY_SECONDS)
    try:
        refuse_full_disk()
    except DiskFullError:
        raise SourceError(no_room()) from None


def delete_rejects(user_id: int) -> None:
    """Delete the rejected rows of an operator whose account goes."""
    for path in _folder().glob(f"{user_id}-*.csv"):
        path.unlink(missing_ok=True)


def _require_import_permission(model_admin: "admin.ModelAdmin[Any]", request: HttpRequest) -> None:
    if not (model_admin.has_add_permission(request) and model_admin.has_change_permission(request)):
        raise PermissionDenied


def _folder() -> Path:
    return Path(settings.VAR_DIR) / "rejected-rows"


def _path(user_id: int, token: str) -> Path:
    return _folder() / f"{user_id}-{token}.csv"


def _drop_old(folder: Path) -> None:
    for path in folder.glob("*.csv"):
        if path.stat().st_mtime < time.time() - _KEPT_SECONDS:
            path.unlink(missing_ok=True)
