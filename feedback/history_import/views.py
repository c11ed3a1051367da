"""Pages of history imports."""

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from accounts.limits.caps import CapError
from feedback.history_import import services
from feedback.history_import.forms import HistoryUploadForm, too_large
from feedback.history_import.job import UNDO
from feedback.history_import.models import HistoryImport, UnmatchedSong
from feedback.history_import.notes import told_notes
from feedback.web.exports import csv_download
from feedback.web.http import is_htmx, listener_of, listener_required
from jobs.disk import DiskFullError
from jobs.services import JobError

PAGE_SIZE = 50
MAX_LISTED = 50
# Size of a form without its file.
_FORM_BYTES = 100_000
_UNMATCHED = ("title", "artist", "album", "uri", "plays")


# CSRF protection reads the whole request, so uploads that are too large are refused before it.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def import_history(request: HttpRequest) -> HttpResponse:
    """Show the form and the listener's imports; take an upload."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    size = int(length) if length.isascii() and length.isdigit() else 0
    if request.method == "POST" and size > settings.MAX_HISTORY_UPLOAD_BYTES + _FORM_BYTES:
        return HttpResponse(too_large(size), status=413, content_type="text/plain; charset=utf-8")
    if request.method == "POST" and not request.user.is_authenticated:
        # Checked before the form is parsed, so that a stranger's file is not read.
        return redirect_to_login(request.path)
    return cast(HttpResponse, _import_history(request))


@listener_required
@csrf_protect
def _import_history(request: HttpRequest) -> HttpResponse:
    form = HistoryUploadForm(request.POST, request.FILES) if request.method == "POST" else HistoryUploadForm()
    if form.is_valid():
        try:
            history = services.begin_import(
                user=listener_of(request),
                upload=form.cleaned_data["file"],
                wants_own_songs=form.cleaned_data["wants_own_songs"],
            )
        except services.ImportBusyError:
            form.add_error(None, _("Your previous import is still running. Please wait until it has finished."))
        except CapError as error:
            form.add_error(None, str(error))
        except DiskFullError:
            form.add_error(None, _("There's no room for your file right now. Please try again later."))
        else:
            return redirect("feedback:history_import", history.pk)
    imports = listener_of(request).history_imports.all()[:MAX_LISTED]
    context = {"form": form, "imports": imports, "limit": settings.MAX_HISTORY_UPLOAD_BYTES}
    return render(request, "feedback/history_imports.html", context, status=422 if form.errors else 200)


@require_safe
@listener_required
@never_cache
def show_import(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the progress of an import, or its result."""
    history = HistoryImport.objects.filter(pk=pk, user=listener_of(request)).first()
    if history is None:
        if is_htmx(request) and request.GET.get("undo"):
            messages.success(request, _("The import has been undone."))
            return HttpResponseClientRedirect(reverse("feedback:history_imports"))
        raise Http404
    job = history.job()
    context: dict[str, Any] = {
        "history": history,
        "job": job,
        "is_undo": job is not None and job.kind == UNDO,
        "reasons": sorted(
            ((_(reason), count) for reason, count in history.skipped.items()), key=lambda item: (-item[1], item[0])
        ),
        "notes": told_notes(history),
    }
    if is_htmx(request):
        # The finished page has more parts, so it is reloaded as a whole.
        if job is None or not job.is_active:
            return HttpResponseClientRedirect(reverse("feedback:history_import", args=[pk]))
        return render(request, "feedback/_history_import.html", context)
    context["page"] = Paginator(history.unmatched.all(), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "feedback/history_import.html", context)


@require_POST
@listener_required
def change_import(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    """Stop an import, go on with it, or undo it."""
    history = get_object_or_404(HistoryImport, pk=pk, user=listener_of(request))
    try:
        services.CHANGES[action](history=history)
    except JobError:
        messages.error(request, _("It's too late for that. See below for where the import stands."))
    return redirect("feedback:history_import", pk)


@require_safe
@listener_required
def download_unmatched(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """Send the unmatched songs as CSV."""
    history = get_object_or_404(HistoryImport, pk=pk, user=listener_of(request))
    songs = UnmatchedSong.objects.filter(history_import=history)
    return csv_download(_UNMATCHED, songs.values_list(*_UNMATCHED).iterator(chunk_size=2000), name="songs-not-found")
