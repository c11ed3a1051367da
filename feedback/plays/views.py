"""Pages of plays, and the button that makes one."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.limits.limiter import limited
from catalog.models import Track
from feedback.hidden import HiddenTrackError
from feedback.plays import double_jobs, services
from feedback.plays.doubles import doubles_of
from feedback.plays.exports import history_csv
from feedback.plays.forms import HistoryForm
from feedback.plays.models import Play
from feedback.plays.selectors import history_of
from feedback.ratings import selectors
from feedback.web.exports import page_address
from feedback.web.http import (
    actions_response,
    ask_to_sign_up,
    feedback_changed,
    is_htmx,
    listener_of,
    listener_required,
    page_of,
    redirect_back,
)
from jobs.services import JobError

MAX_DOUBLES = 100


@require_POST
@limited("feedback")
def listen(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Record a play and offer the song's sound where there is one; visitors need an account to hear it."""
    track = get_object_or_404(Track.objects.active(), pk=pk)
    if not request.user.is_authenticated:
        text = _("Log in or sign up to play “%(song)s”.") % {"song": track.title}
        return ask_to_sign_up(request, text=text, act="play", track=track)
    try:
        token = UUID(request.POST["token"]) if request.POST.get("token") else None
    except ValueError:
        return HttpResponseBadRequest("token: must be a UUID", content_type="text/plain")
    try:
        services.record_play(user=listener_of(request), track=track, token=token)
    except HiddenTrackError as error:
        raise Http404 from error
    if is_htmx(request):
        return actions_response(request, track, mark=selectors.rating_of(listener_of(request), track), is_playing=True)
    messages.success(request, _played_message(track))
    return redirect_back(request, anchor=f"track-{track.pk}")


@require_safe
@listener_required
def history(request: HttpRequest) -> HttpResponse:
    """Show the listener's plays, newest first."""
    query, outcome = HistoryForm(request.GET).choices_made()
    page = page_of(request, history_of(listener_of(request), query, outcome))
    context = {
        "page": page,
        "has_plays": bool(page.object_list),
        # Songs that the catalogue lacks have no sound here and no rating.
        "tracks": [play.track for play in page if play.track.is_active],
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
    play = get_object_or_404(Play.objects.select_related("track"), pk=pk, user=listener_of(request))
    title = play.track.title
    removed = services.remove_play(play=play)
    if is_htmx(request):
        return feedback_changed(render(request, "feedback/_removed_play.html", {"removed": removed, "title": title}))
    request.session["removed_play"] = {"undo": removed, "title": title}
    return redirect_back(request)


@require_POST
@listener_required
def restore_play(request: HttpRequest) -> HttpResponse:
    """Put a removed play back into the history."""
    try:
        play = services.restore_play(user=listener_of(request), removed=request.POST.get("removed", ""))
    except services.UndoError as error:
        raise Http404 from error
    if not is_htmx(request):
        messages.success(request, _("Restored %(song)s to your history.") % {"song": play.track.title})
        return redirect_back(request)
    play = history_of(listener_of(request)).get(pk=play.pk)
    mark = selectors.rating_of(listener_of(request), play.track)
    return feedback_changed(render(request, "feedback/_play_row.html", {"play": play, "mark": mark}))


def _played_message(track: Track) -> str:
    noted = _("Added %(song)s to your history.") % {"song": track.title}
    if track.preview_url:
        return format_html('{} <a href="{}" rel="noopener">{}</a>', noted, track.preview_url, _("Play preview"))
    if track.is_on_spotify:
        url = f"https://open.spotify.com/track/{track.spotify_id}"
        return format_html('{} <a href="{}" rel="noopener">{}</a>', noted, url, _("Listen on Spotify"))
    no_audio = _("There's no audio for this song.")
    return f"{noted} {no_audio}"


@require_safe
@listener_required
@never_cache
def doubles(request: HttpRequest) -> HttpResponse:
    """Show the plays that tell one listen twice, before they are removed; and what was removed."""
    number, first = doubles_of(listener_of(request), MAX_DOUBLES)
    job = double_jobs.latest_job(listener_of(request))
    context = {
        "number": number,
        "doubles": first,
        "removed": listener_of(request).removed_doubles.count(),
        "job": job if job is not None and job.is_active else None,
        "is_removal": job is not None and job.kind == double_jobs.REMOVE,
    }
    return render(request, "feedback/history_doubles.html", context)


@require_POST
@listener_required
def change_doubles(request: HttpRequest, action: str) -> HttpResponse:
    """Have the listener's doubles removed, or put back, in the background."""
    try:
        double_jobs.request_change(user=listener_of(request), action=action)
    except JobError:
        messages.error(request, _("Your duplicates are being removed or restored already. Please wait for that."))
    return redirect("feedback:history_doubles")


@require_safe
@listener_required
def export_history(request: HttpRequest) -> StreamingHttpResponse:
    """Hand out the listener's plays, as filtered, as a CSV file; times are UTC."""
    query, outcome = HistoryForm(request.GET).choices_made()
    return history_csv(history_of(listener_of(request), query, outcome), page_address(request))
