"""Why a song is on the page, and the menu of what to do about it: panels of the sheet, or pages."""

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import trigger_client_event

from accounts.models import User
from catalog.models import Track, display_name
from feedback.preferences.forms import DAYS
from feedback.web.http import is_htmx, listener_required, redirect_back
from feedback.web.undo import answer_in_place, flash_with_undo
from recommender.models import Recommendation
from recommender.pages.explanations.details import CHART_WIDTH, recommendation_of, reject_reason
from recommender.pages.explanations.details import why as why_of


@require_safe
@listener_required
@vary_on_headers("HX-Request")
def why(request: HttpRequest, page: UUID, pk: int) -> HttpResponse:
    """Show the terms that brought a song there, as they were recorded."""
    recommendation = _found(request, page, pk)
    context = {"why": why_of(recommendation), "chart_width": CHART_WIDTH, **_context(recommendation)}
    return render(request, "recommender/_why.html" if is_htmx(request) else "recommender/why.html", context)


@require_safe
@listener_required
@vary_on_headers("HX-Request")
def song_why(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Show why a song that plays was last recommended, or that the listener chose it without that."""
    track = get_object_or_404(Track.objects.active(), pk=pk)
    latest = Recommendation.objects.filter(user=cast(User, request.user), track=track).first()
    if latest is not None:
        return why(request, latest.page, pk)
    template = "recommender/_why_not.html" if is_htmx(request) else "recommender/why_not.html"
    return render(request, template, {"track": track})


@require_safe
@listener_required
@vary_on_headers("HX-Request")
def menu(request: HttpRequest, page: UUID, pk: int) -> HttpResponse:
    """Offer what to do with a recommended song."""
    recommendation = _found(request, page, pk)
    return _menu(request, recommendation.track, **_context(recommendation))


@require_safe
@listener_required
@vary_on_headers("HX-Request")
def song_menu(request: HttpRequest, pk: int) -> HttpResponse:
    """Offer what to do with a song that stands in any list."""
    return _menu(request, get_object_or_404(Track.objects.active(), pk=pk))


@require_POST
@listener_required
def wrong_reason(request: HttpRequest, page: UUID, pk: int) -> HttpResponse:
    """Note that the reason given for a song is wrong; its artist or genre counts half from now on."""
    recommendation = _found(request, page, pk)
    line = reject_reason(user=cast(User, request.user), recommendation=recommendation)
    text, undo = _("Thanks, noted."), {}
    if line is not None:
        text = _("Thanks. %(name)s now counts half as much.") % {"name": display_name(line)}
        undo = {"kind": line._meta.model_name, "id": line.pk, "level": "normal"}
    undo_url = reverse("feedback:adjust") if undo else ""
    if is_htmx(request):
        answer = answer_in_place(request, text, undo_url, **undo)
        return trigger_client_event(answer, "taste-changed") if undo else answer
    if undo:
        flash_with_undo(request, text, undo_url, **undo)
    else:
        messages.success(request, text)
    return redirect_back(request)


def _found(request: HttpRequest, page: UUID, pk: int) -> Recommendation:
    recommendation = recommendation_of(cast(User, request.user), page, pk)
    if recommendation is None:
        raise Http404
    return recommendation


def _menu(request: HttpRequest, song: Track, **context: Any) -> HttpResponse:
    context |= {
        "track": song,
        "days": DAYS,
        "artists": [credit.artist for credit in song.credits.select_related("artist")],
        "genres": list(song.genres.all()),
    }
    return render(request, "recommender/_menu.html" if is_htmx(request) else "recommender/menu.html", context)


def _context(recommendation: Recommendation) -> dict[str, Any]:
    return {"track": recommendation.track, "page_id": recommendation.page, "recommendation": recommendation}
