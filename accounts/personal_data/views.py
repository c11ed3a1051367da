"""The page of everything the site knows about a listener, and its files."""

from typing import cast

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.compat import on_close
from accounts.limits.limiter import limited, too_many
from accounts.models import User
from accounts.personal_data.export import csv_export, json_export, personal_tables
from accounts.personal_data.privacy import recipients, stored_facts, table_name
from jobs.patience import AWAY

EXPORT_WAIT_SECONDS = 10
# Timeout of the lock, for workers that died during an export.
_LONGEST_EXPORT_SECONDS = 600


@require_safe
@never_cache
@login_required
def my_data(request: HttpRequest) -> HttpResponse:
    """Show what is stored, table by table, with downloads."""
    user = cast(User, request.user)
    counts = [(table_name(table), table.rows_of(user).count()) for table in personal_tables()]
    return render(request, "accounts/my_data.html", {"counts": [row for row in counts if row[1]]})


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """Show what is stored, why and for how long, and the recipients: the operator's text and the facts."""
    context = {
        "text": settings.PRIVACY_TEXT,
        "contact": settings.PRIVACY_CONTACT,
        "facts": stored_facts(),
        "recipients": recipients(),
    }
    return render(request, "accounts/privacy.html", context)


@require_safe
@never_cache
@login_required
@limited("export")
def download(request: HttpRequest, kind: str) -> HttpResponseBase:
    """Send everything as one file, written while it is read from the database."""
    try:
        return export_response(cast(User, request.user), kind)
    except ExportBusyError:
        return too_many(request, EXPORT_WAIT_SECONDS)


class ExportBusyError(Exception):
    """Another export of this listener is being sent."""


def export_response(user: User, kind: str) -> StreamingHttpResponse:
    """Return everything about ``user`` as ``json``, or as a zip of CSV files (``zip``). Raise ``ExportBusyError``.

    A listener can have one at a time, because each occupies a worker's thread while it is sent.
    """
    lock_key = f"export:{user.pk}"
    if not _is_first(lock_key):
        raise ExportBusyError
    try:
        response = _export(user, kind)
    except BaseException:
        cache.delete(lock_key)
        raise
    # Whether it was sent to its end or broken off.
    on_close(response, lambda: cache.delete(lock_key))
    return response


def _is_first(lock_key: str) -> bool:
    try:
        return bool(cache.add(lock_key, True, _LONGEST_EXPORT_SECONDS))
    except AWAY:
        # Nothing can be written just now. Reading goes on.
        return True


def _export(user: User, kind: str) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="everything-about-me.{kind}"', "Cache-Control": "no-store"}
    if kind == "json":
        return StreamingHttpResponse(json_export(user), content_type="application/json", headers=headers)
    return StreamingHttpResponse(csv_export(user), content_type="application/zip", headers=headers)
