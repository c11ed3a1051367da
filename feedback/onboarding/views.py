"""The onboarding in three steps: genres, artists and songs, the adventure dial. Each step saves its own choices."""

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.forms import AdventureForm
from accounts.models import User
from accounts.spotify.selectors import connection_of
from catalog.models import Artist, Track
from catalog.selectors import popular_artists
from feedback.onboarding.forms import StartArtistsForm, StartGenresForm
from feedback.onboarding.selectors import find, genre_tiles, matching_tiles
from feedback.onboarding.services import save_onboarding
from feedback.preferences import selectors, services
from feedback.web.http import is_htmx, listener_required

# Genres shown before "All genres" is opened.
FIRST_TILES = 24
SUGGESTED_ARTISTS = 12
_METHODS = ["GET", "HEAD", "POST"]


@require_http_methods(_METHODS)
@listener_required
def genres(request: HttpRequest) -> HttpResponse:
    """First step: genres."""
    user = cast(User, request.user)
    form = StartGenresForm(request.POST) if request.method == "POST" else None
    is_search = request.POST.get("action") == "search"
    if form is not None and form.is_valid() and not is_search:
        services.set_genres(user=user, genres=form.cleaned_data["genre"])
        return redirect("feedback:start_artists")
    picked = form.cleaned_data.get("genre", []) if form else list(selectors.preferred_genres(user))
    query = form.cleaned_data.get("q", "").strip() if form else ""
    context = {"form": form, "step": 1, "search": query, **_genres_context({genre.pk for genre in picked}, query)}
    template = "_start_genres.html" if is_search and is_htmx(request) else "start.html"
    return render(request, f"feedback/{template}", context, status=422 if form and form.errors else 200)


@require_http_methods(_METHODS)
@listener_required
def artists(request: HttpRequest) -> HttpResponse:
    """Second step: artists of those genres, and any artist or song by search."""
    user = cast(User, request.user)
    if request.method != "POST":
        picks: dict[str, Any] = {"artist": list(selectors.preferred_artists(user))}
        return render(request, "feedback/start_artists.html", _artists_context(user, picks))
    form = StartArtistsForm(request.POST)
    is_search = request.POST.get("action") == "search"
    if form.is_valid() and not is_search:
        picks = form.cleaned_data
        save_onboarding(user=user, artists=picks["artist"], tracks=picks["track"])
        return redirect("feedback:start_adventure")
    context = {"form": form, **_artists_context(user, form.cleaned_data)}
    template = "_start_picks.html" if is_search and is_htmx(request) else "start_artists.html"
    return render(request, f"feedback/{template}", context, status=422 if form.errors else 200)


@require_http_methods(_METHODS)
@listener_required
def adventure(request: HttpRequest) -> HttpResponse:
    """Last step: the adventure dial, and what else may come along."""
    user = cast(User, request.user)
    form = AdventureForm(request.POST if request.method == "POST" else None, instance=user)
    if form.is_bound and form.is_valid():
        form.save()
        messages.success(request, _("Saved. Your recommendations now reflect your choices."))
        return redirect(settings.LOGIN_REDIRECT_URL)
    offers_spotify = bool(settings.SPOTIFY_CLIENT_ID) and connection_of(user) is None
    context = {"form": form, "step": 3, "offers_spotify": offers_spotify}
    return render(request, "feedback/start_adventure.html", context, status=422 if form.is_bound else 200)


def _genres_context(picked: set[int], query: str) -> dict[str, Any]:
    """Return the tiles: while one searches those that match, after what was picked."""
    tiles = genre_tiles()
    first, others = tiles[:FIRST_TILES], tiles[FIRST_TILES:]
    if query:
        chosen = [tile for tile in tiles if tile.genre.pk in picked]
        matching = [tile for tile in matching_tiles(tiles, query) if tile.genre.pk not in picked]
        first, others = chosen + matching, []
    return {
        "has_tiles": bool(tiles),
        "first_tiles": first,
        "other_tiles": others,
        "picked_genres": picked,
        "is_open": any(tile.genre.pk in picked for tile in others),
        "found_nothing": bool(query) and not matching_tiles(tiles, query),
    }


def _artists_context(user: User, picks: dict[str, Any]) -> dict[str, Any]:
    picked: list[Artist] = picks.get("artist", [])
    songs: list[Track] = picks.get("track", [])
    query: str = picks.get("q", "").strip()
    found_artists, found_songs = find(query)
    # While one searches, what is found stands in the place of what is suggested.
    suggested = [] if query else popular_artists(list(selectors.preferred_genres(user)), SUGGESTED_ARTISTS)
    return {
        "step": 2,
        "picked_artists": picked,
        "picked_songs": songs,
        "search": query,
        "suggested": [artist for artist in suggested if artist not in picked],
        "found_artists": [artist for artist in found_artists if artist not in picked],
        "found_songs": [song for song in found_songs if song not in songs],
    }
