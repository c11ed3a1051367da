"""Why a song is on the page, and the menu of what to do about it: panels of the sheet, or pages."""

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import trigger_client_event

from accounts.models import User
from feedback.http import is_htmx, listener_required, redirect_back
from feedback.steering_forms import DAYS
from feedback.undo import say_with_undo, undo_form
from recommender.models import Recommendation
from recommender.why import CHART_WIDTH, recommendation_of, reject_reason
from recommender.why import why as why_of


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
def menu(request: HttpRequest, page: UUID, pk: int) -> HttpResponse:
    """Offer what to do about a recommended song."""
    recommendation = _found(request, page, pk)
    context = {
        "days": DAYS,
        "artists": [credit.artist for credit in recommendation.track.credits.select_related("artist")],
        "genres": list(recommendation.track.genres.all()),
        **_context(recommendation),
    }
    return render(request, "recommender/_menu.html" if is_htmx(request) else "recommender/menu.html", context)


@require_POST
@listener_required
def wrong_reason(request: HttpRequest, page: UUID, pk: int) -> HttpResponse:
    """Note that the reason given for a song is wrong; its artist or genre counts half from now on."""
    recommendation = _found(request, page, pk)
    line = reject_reason(user=cast(User, request.user), recommendation=recommendation)
    text, undo = _("Thank you: noted."), {}
    if line is not None:
        text = _("Thank you: %(name)s counts half from now on.") % {"name": line.name}
        undo = {"kind": line._meta.model_name, "id": line.pk, "level": "normal"}
    if is_htmx(request):
        way_back = undo_form(request, reverse("feedback:adjust"), **undo) if undo else ""
        answer = render(request, "feedback/_said.html", {"text": text, "undo": way_back})
        return trigger_client_event(answer, "taste-changed") if undo else answer
    if undo:
        say_with_undo(request, text, reverse("feedback:adjust"), **undo)
    else:
        messages.success(request, text)
    return redirect_back(request)


def _found(request: HttpRequest, page: UUID, pk: int) -> Recommendation:
    recommendation = recommendation_of(cast(User, request.user), page, pk)
    if recommendation is None:
        raise Http404
    return recommendation


def _context(recommendation: Recommendation) -> dict[str, Any]:
    return {"track": recommendation.track, "page_id": recommendation.page, "recommendation": recommendation}
