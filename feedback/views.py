"""Pages and buttons of what the listener did."""

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from accounts.limits import limited
from accounts.models import User
from catalog.models import Track
from feedback import selectors, services
from feedback.forms import HistoryForm
from feedback.http import is_htmx, listener_required, redirect_back
from feedback.models import Play, Rating
from feedback.undo import say_with_undo

PAGE_SIZE = 30
_VALUES = {"1": Rating.Value.LIKE, "-1": Rating.Value.DISLIKE, "0": None}


@require_POST
@limited("feedback")
@listener_required
def rate(request: HttpRequest, pk: int) -> HttpResponse:
    """Like (``value`` 1), dislike (-1) or clear (0) a song."""
    track = get_object_or_404(Track.objects.active(), pk=pk)
    sent = request.POST.get("value", "")
    if sent not in _VALUES:
        return HttpResponseBadRequest("value: 1, -1 or 0 is needed", content_type="text/plain")
    value = _VALUES[sent]
    before = 0 if is_htmx(request) else selectors.mark_of(_listener(request), track)
    try:
        services.rate(user=_listener(request), track=track, value=value)
    except services.HiddenTrackError as error:
        raise Http404 from error
    if is_htmx(request):
        return _actions(request, track, mark=value or 0)
    texts = {1: _("You like %(song)s."), -1: _("You don't like %(song)s."), 0: _("%(song)s is no longer rated.")}
    text = texts[value or 0] % {"song": track.title}
    say_with_undo(request, text, reverse("feedback:rate", args=[track.pk]), value=before)
    return redirect_back(request, anchor=f"track-{track.pk}")


@require_POST
@limited("feedback")
@listener_required
def listen(request: HttpRequest, pk: int) -> HttpResponse:
    """Record a play and offer the song's sound where there is one."""
    track = get_object_or_404(Track.objects.active(), pk=pk)
    try:
        token = UUID(request.POST["token"]) if request.POST.get("token") else None
    except ValueError:
        return HttpResponseBadRequest("token: a UUID is needed", content_type="text/plain")
    try:
        services.record_play(user=_listener(request), track=track, token=token)
    except services.HiddenTrackError as error:
        raise Http404 from error
    if is_htmx(request):
        return _actions(request, track, mark=selectors.mark_of(_listener(request), track), is_playing=True)
    messages.success(request, _played_message(track))
    return redirect_back(request, anchor=f"track-{track.pk}")


@require_safe
@listener_required
def ratings(request: HttpRequest) -> HttpResponse:
    """Show the listener's likes or dislikes."""
    value = Rating.Value.DISLIKE if request.GET.get("value") == "dislikes" else Rating.Value.LIKE
    query = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    page = _page(request, selectors.ratings_of(_listener(request), value, query))
    context = {"page": page, "tracks": [row.track for row in page], "filter": query, "is_likes": value == 1}
    return render(request, "feedback/ratings.html", context)


@require_safe
@listener_required
def history(request: HttpRequest) -> HttpResponse:
    """Show the listener's plays, newest first."""
    query, outcome = HistoryForm(request.GET).choices_made()
    page = _page(request, selectors.history_of(_listener(request), query, outcome))
    context = {
        "page": page,
        "tracks": [play.track for play in page],
        "filter": query,
        "outcome": outcome,
        "outcomes": Play.Outcome.choices,
        "removed": request.session.pop("removed_play", None),
    }
    return render(request, "feedback/history.html", context)


@require_POST
@listener_required
def remove_play(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one play out of the history, with the way back."""
    play = get_object_or_404(Play.objects.select_related("track"), pk=pk, user=_listener(request))
    title = play.track.title
    removed = services.remove_play(play=play)
    if is_htmx(request):
        return _changed(render(request, "feedback/_removed_play.html", {"removed": removed, "title": title}))
    request.session["removed_play"] = {"undo": removed, "title": title}
    return redirect_back(request)


@require_POST
@listener_required
def restore_play(request: HttpRequest) -> HttpResponse:
    """Put a removed play back into the history."""
    try:
        play = services.restore_play(user=_listener(request), removed=request.POST.get("removed", ""))
    except services.UndoError as error:
        raise Http404 from error
    if not is_htmx(request):
        messages.success(request, _("%(song)s is back in your history.") % {"song": play.track.title})
        return redirect_back(request)
    play = selectors.history_of(_listener(request)).get(pk=play.pk)
    mark = selectors.mark_of(_listener(request), play.track)
    return _changed(render(request, "feedback/_play_row.html", {"play": play, "mark": mark}))


def _listener(request: HttpRequest) -> User:
    return cast(User, request.user)


def _page(request: HttpRequest, rows: QuerySet[Any]) -> Page[Any]:
    return Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))


def _actions(request: HttpRequest, track: Track, *, mark: int, is_playing: bool = False) -> HttpResponse:
    context = {"track": track, "mark": mark, "is_playing": is_playing}
    return _changed(render(request, "feedback/_actions.html", context))


def _changed(answer: HttpResponse) -> HttpResponse:
    """Tell the page that the feedback changed, for the parts of it that follow the feedback."""
    return trigger_client_event(answer, "feedback-changed")


def _played_message(track: Track) -> str:
    noted = _("Noted in your history: %(song)s.") % {"song": track.title}
    if track.preview_url:
        return format_html('{} <a href="{}" rel="noopener">{}</a>', noted, track.preview_url, _("Hear the preview"))
    if track.is_on_spotify:
        url = f"https://open.spotify.com/track/{track.spotify_id}"
        return format_html('{} <a href="{}" rel="noopener">{}</a>', noted, url, _("Hear it on Spotify"))
    return f"{noted} {_('This site has no sound for it.')}"
