"""Pages and buttons of likes and dislikes."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.limits.limiter import limited
from catalog.models import Track
from feedback.hidden import HiddenTrackError
from feedback.ratings import selectors, services
from feedback.ratings.models import Rating
from feedback.web.http import (
    actions_response,
    ask_to_sign_up,
    is_htmx,
    listener_of,
    listener_required,
    page_of,
    redirect_back,
)
from feedback.web.undo import flash_with_undo

_VALUES = {"1": Rating.Value.LIKE, "-1": Rating.Value.DISLIKE, "0": None}


@require_POST
@limited("feedback")
def rate(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Like (``value`` 1), dislike (-1) or clear (0) a song; of a visitor it is kept until they have an account."""
    track = get_object_or_404(Track.objects.active(), pk=pk)
    sent = request.POST.get("value", "")
    if sent not in _VALUES:
        return HttpResponseBadRequest("value: must be 1, -1 or 0", content_type="text/plain")
    value = _VALUES[sent]
    if not request.user.is_authenticated:
        is_dislike = value == Rating.Value.DISLIKE
        text = (
            _("Log in or sign up to dislike “%(song)s”.") if is_dislike else _("Log in or sign up to like “%(song)s”.")
        )
        act = "dislike" if is_dislike else "like"
        return ask_to_sign_up(request, text=text % {"song": track.title}, act=act, track=track)
    before = 0 if is_htmx(request) else selectors.rating_of(listener_of(request), track)
    try:
        services.rate(user=listener_of(request), track=track, value=value)
    except HiddenTrackError as error:
        raise Http404 from error
    if is_htmx(request):
        return actions_response(request, track, mark=value or 0)
    texts = {1: _("You liked %(song)s."), -1: _("You disliked %(song)s."), 0: _("Removed your rating of %(song)s.")}
    text = texts[value or 0] % {"song": track.title}
    flash_with_undo(request, text, reverse("feedback:rate", args=[track.pk]), value=before)
    return redirect_back(request, anchor=f"track-{track.pk}")


@require_safe
@listener_required
def ratings(request: HttpRequest) -> HttpResponse:
    """Show the listener's likes or dislikes."""
    value = Rating.Value.DISLIKE if request.GET.get("value") == "dislikes" else Rating.Value.LIKE
    query = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    page = page_of(request, selectors.ratings_of(listener_of(request), value, query))
    context = {"page": page, "tracks": [row.track for row in page], "filter": query, "is_likes": value == 1}
    return render(request, "feedback/ratings.html", context)
