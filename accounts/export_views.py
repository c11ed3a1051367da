"""The page of everything the site knows about a listener, and its files."""

from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.limits import limited
from accounts.models import User
from accounts.personal_data import csv_export, json_export, personal_tables


@require_safe
@never_cache
@login_required
def my_data(request: HttpRequest) -> HttpResponse:
    """Say what is kept, table by table, and offer it as files."""
    user = cast(User, request.user)
    counts = [(table.model._meta.verbose_name_plural, table.rows_of(user).count()) for table in personal_tables()]
    return render(request, "accounts/my_data.html", {"counts": [row for row in counts if row[1]]})


@require_safe
@never_cache
@login_required
@limited("export")
def download(request: HttpRequest, kind: str) -> StreamingHttpResponse:
    """Send everything as one file, written while it is read from the database."""
    return export_response(cast(User, request.user), kind)


def export_response(user: User, kind: str) -> StreamingHttpResponse:
    """Return everything about ``user`` as ``json``, or as a zip of CSV files (``zip``)."""
    headers = {"Content-Disposition": f'attachment; filename="everything-about-me.{kind}"', "Cache-Control": "no-store"}
    if kind == "json":
        return StreamingHttpResponse(json_export(user), content_type="application/json", headers=headers)
    return StreamingHttpResponse(csv_export(user), content_type="application/zip", headers=headers)
