"""Pages of the weekly lists. Another listener's list answers 404."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from catalog.models import Track
from feedback.playlists.exports import songs_file
from feedback.playlists.services import PlaylistFullError
from feedback.web.exports import page_address
from feedback.web.http import listener_of, listener_required
from recommender.engine import LEAST_ANSWERS
from recommender.models import Recommendation, WeeklyEmail, WeeklyFeed, WeeklyList, WeeklySong
from recommender.pages.explanations.phrases import Names, sentence
from recommender.weekly import services
from recommender.weekly.charts import HEIGHT, WIDTH, weeks_chart
from recommender.weekly.selectors import latest_list, lists_of, songs_of, tracks_of, with_results

WEEKS_SHOWN = 26
WEEKS_IN_CHART = 12


@dataclass(frozen=True)
class SongRow:
    """A song of a list with its reason; one that is gone or hidden has its names alone."""

    song: WeeklySong
    track: Track | None
    reason: str


def own_list(request: HttpRequest, pk: int) -> WeeklyList:
    """Return the listener's list ``pk``; anybody else's is not found."""
    return get_object_or_404(lists_of(listener_of(request)), pk=pk)


@require_safe
@listener_required
@never_cache
def latest(request: HttpRequest) -> HttpResponse:
    """Show the newest list, or what will be here."""
    newest = latest_list(listener_of(request))
    if newest is not None:
        return redirect(newest)
    return render(request, "recommender/weeks_empty.html", {"is_on": bool(settings.WEEKLY_LIST_DAY)})


@require_safe
@listener_required
@never_cache
def week(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one list, what was expected of it and how it went, and the weeks before."""
    user = listener_of(request)
    shown = own_list(request, pk)
    if request.method == "GET" and shown.seen_at is None:
        services.mark_seen(weekly_list=shown)
    newest = list(lists_of(user)[:WEEKS_SHOWN])
    judged = with_results([shown, *newest])
    lines = judged[1:]
    rows = _rows(shown)
    context = {
        "weekly_list": shown,
        "line": judged[0],
        "rows": rows,
        "tracks": [row.track for row in rows if row.track is not None],
        "lines": lines,
        "chart": weeks_chart(lines[:WEEKS_IN_CHART]),
        "chart_width": WIDTH,
        "chart_height": HEIGHT,
        "least_answers": LEAST_ANSWERS,
    }
    return render(request, "recommender/week.html", context)


@require_POST
@listener_required
def save(request: HttpRequest, pk: int) -> HttpResponse:
    """Save a list as a playlist."""
    shown = own_list(request, pk)
    try:
        playlist = services.save_as_playlist(weekly_list=shown)
    except PlaylistFullError as error:
        messages.error(request, str(error))
        return redirect(shown)
    messages.success(request, _("Saved as a playlist. You can change it as you like."))
    return redirect(playlist)


@require_safe
@listener_required
def export(request: HttpRequest, pk: int, kind: str) -> HttpResponseBase:
    """Hand out a list as a file: ``m3u``, ``jspf`` or ``csv``."""
    return list_file(own_list(request, int(pk)), kind, request)


@require_http_methods(["GET", "HEAD", "POST"])
@listener_required
@never_cache
def follow(request: HttpRequest) -> HttpResponse:
    """Show how to follow the lists; make or renew the feed's addresses, which are shown this once."""
    user = listener_of(request)
    token = services.renew_feed(user=user) if request.method == "POST" else ""
    context: dict[str, Any] = {
        "has_feed": WeeklyFeed.objects.filter(user=user).exists(),
        "gets_emails": WeeklyEmail.objects.filter(user=user).exists(),
        "offers_emails": bool(settings.EMAIL_URL),
        "has_address": _has_address(user),
    }
    if token:
        context |= {
            "atom_url": request.build_absolute_uri(reverse("recommender:week_atom", args=[token])),
            "json_url": request.build_absolute_uri(reverse("recommender:week_json", args=[token])),
        }
    return render(request, "recommender/week_follow.html", context)


@require_POST
@listener_required
def end_feed(request: HttpRequest) -> HttpResponse:
    """Revoke the feed's addresses."""
    services.end_feed(user=listener_of(request))
    messages.success(request, _("Deleted the feed. Its addresses don't work any more."))
    return redirect("recommender:week_follow")


@require_POST
@listener_required
def emails(request: HttpRequest) -> HttpResponse:
    """Begin or end the emails."""
    user = listener_of(request)
    if request.POST.get("on") != "1":
        services.end_emails(user_id=user.pk)
        messages.success(request, _("You won't get your week by email any more."))
    elif not settings.EMAIL_URL:
        messages.error(request, _("This site sends no emails."))
    elif not _has_address(user):
        messages.error(request, _("Nothing has changed, because your email address isn't confirmed yet."))
    else:
        services.start_emails(user=user, origin=request.build_absolute_uri("/").rstrip("/"))
        messages.success(request, _("You'll get each new list by email."))
    return redirect("recommender:week_follow")


def list_file(weekly_list: WeeklyList, kind: str, request: HttpRequest) -> HttpResponseBase:
    """Return a list as a file to save."""
    return songs_file(
        weekly_list.title,
        weekly_list.user.username,
        weekly_list.created_at,
        tracks_of(weekly_list),
        kind,
        page_address(request),
    )


def _rows(shown: WeeklyList) -> list[SongRow]:
    """Return the songs of a list with their reasons, which go with the record of recommendations."""
    reasons = dict(Recommendation.objects.filter(page=shown.page).values_list("track_id", "reason"))
    names = Names.of(reasons.values())
    rows = []
    for song in songs_of(shown):
        track = song.track if song.track is not None and song.track.is_active else None
        reason = reasons.get(track.pk) if track is not None else None
        rows.append(SongRow(song, track, sentence(reason, names, max_parts=1) if reason else ""))
    return rows


def _has_address(user: User) -> bool:
    return bool(EmailAddress.objects.filter(user=user, email__iexact=user.email, verified=True).exists())
