"""Search on Spotify, and adding what was found."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.middleware import HtmxDetails

from accounts.limits.limiter import limited
from accounts.models import User
from accounts.spotify import SpotifyError
from accounts.spotify.web_api.client import client_for
from catalog.models import SPOTIFY_ID_PATTERN
from catalog.search.selectors import MAX_QUERY_LENGTH
from catalog.sources.spotify.songs import HiddenSongError, add_from_spotify, known_songs


class AddSongForm(forms.Form):
    """Which song."""

    song = forms.RegexField(regex=SPOTIFY_ID_PATTERN)


@require_safe
@login_required
@never_cache
@limited("search")
@vary_on_headers("HX-Request", "HX-Boosted", "HX-History-Restore-Request")
def find_on_spotify(request: HttpRequest) -> HttpResponse:
    """Show what Spotify finds, with those first named that are here already."""
    query = request.GET.get("q", "").replace("\x00", "")[:MAX_QUERY_LENGTH].strip()
    context: dict[str, Any] = {"query": query, "found": [], "trouble": ""}
    if query:
        try:
            songs = client_for(cast(User, request.user)).search_tracks(query)
            known = known_songs(songs)
            context["found"] = [{"song": song, "track": known.get(song.id)} for song in songs]
        except SpotifyError as error:
            context["trouble"] = error.message
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]
    is_fragment = bool(htmx) and not htmx.boosted and not htmx.history_restore_request
    return render(request, "catalog/_spotify_results.html" if is_fragment else "catalog/spotify_search.html", context)


@require_POST
@login_required
@limited("search")
def add_found(request: HttpRequest) -> HttpResponse:
    """Add a found song to the catalogue, and show it."""
    form = AddSongForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Spotify has no such song."))
        return redirect("catalog:search")
    try:
        track, is_new = add_from_spotify(user=cast(User, request.user), spotify_id=form.cleaned_data["song"])
    except SpotifyError as error:
        messages.error(request, error.message)
    except HiddenSongError:
        messages.error(request, _("The site's operator has hidden this song."))
    else:
        message = _("“%(song)s” is now in the catalogue.") if is_new else _("“%(song)s” is already in the catalogue.")
        messages.success(request, message % {"song": track.title})
        return redirect(track)
    return redirect("catalog:search")
