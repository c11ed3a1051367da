"""Pages and buttons of what the listener did."""

from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import trigger_client_event

from accounts.models import User
from catalog.models import Artist, Genre, Track
from feedback import selectors, services
from feedback.forms import StartForm
from feedback.http import is_htmx, listener_required, redirect_back
from feedback.models import Play, Rating
from feedback.start import find, genre_tiles

PAGE_SIZE = 30
# Genres shown before "All genres" is opened.
FIRST_TILES = 24
_VALUES = {"1": Rating.Value.LIKE, "-1": Rating.Value.DISLIKE, "0": None}


@require_POST
@listener_required
def rate(request: HttpRequest, pk: int) -> HttpResponse:
    """Like (``value`` 1), dislike (-1) or clear (0) a song."""
    track = get_object_or_404(Track.objects.active(), pk=pk)
    sent = request.POST.get("value", "")
    if sent not in _VALUES:
        return HttpResponseBadRequest("value: 1, -1 or 0 is needed", content_type="text/plain")
    value = _VALUES[sent]
    try:
        services.rate(user=_listener(request), track=track, value=value)
    except services.HiddenTrackError as error:
        raise Http404 from error
    if is_htmx(request):
        return _actions(request, track, mark=value or 0)
    texts = {1: _("You like %(song)s."), -1: _("You don't like %(song)s."), 0: _("%(song)s is no longer rated.")}
    messages.success(request, texts[value or 0] % {"song": track.title})
    return redirect_back(request, anchor=f"track-{track.pk}")


@require_POST
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


@require_GET
@listener_required
def ratings(request: HttpRequest) -> HttpResponse:
    """Show the listener's likes or dislikes."""
    value = Rating.Value.DISLIKE if request.GET.get("value") == "dislikes" else Rating.Value.LIKE
    query = request.GET.get("q", "").strip()[:200]
    page = _page(request, selectors.ratings_of(_listener(request), value, query))
    context = {"page": page, "tracks": [row.track for row in page], "filter": query, "is_likes": value == 1}
    return render(request, "feedback/ratings.html", context)


@require_GET
@listener_required
def history(request: HttpRequest) -> HttpResponse:
    """Show the listener's plays, newest first."""
    query = request.GET.get("q", "").strip()[:200]
    page = _page(request, selectors.history_of(_listener(request), query))
    context = {
        "page": page,
        "tracks": [play.track for play in page],
        "filter": query,
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


@require_http_methods(["GET", "HEAD", "POST"])
@listener_required
def start(request: HttpRequest) -> HttpResponse:
    """Let a listener say what they like: genres, and artists and songs picked by search."""
    user = _listener(request)
    if request.method != "POST":
        picks: dict[str, Any] = {
            "genre": list(selectors.preferred_genres(user)),
            "artist": list(selectors.preferred_artists(user)),
        }
        return render(request, "feedback/start.html", _start_context(picks))
    form = StartForm(request.POST)
    is_search = request.POST.get("action") == "search"
    if form.is_valid() and not is_search:
        picks = form.cleaned_data
        services.save_start(user=user, genres=picks["genre"], artists=picks["artist"], tracks=picks["track"])
        messages.success(request, _("Saved: this page follows it from now on."))
        return redirect(settings.LOGIN_REDIRECT_URL)
    context = {"form": form, **_start_context(form.cleaned_data)}
    template = "feedback/_start_picks.html" if is_search and is_htmx(request) else "feedback/start.html"
    return render(request, template, context, status=422 if form.errors else 200)


def _start_context(picks: dict[str, Any]) -> dict[str, Any]:
    genres: list[Genre] = picks.get("genre", [])
    artists: list[Artist] = picks.get("artist", [])
    songs: list[Track] = picks.get("track", [])
    query: str = picks.get("q", "").strip()
    tiles, picked = genre_tiles(), {genre.pk for genre in genres}
    found_artists, found_songs = find(query)
    return {
        "first_tiles": tiles[:FIRST_TILES],
        "other_tiles": tiles[FIRST_TILES:],
        "picked_genres": picked,
        "is_open": any(tile.genre.pk in picked for tile in tiles[FIRST_TILES:]),
        "picked_artists": artists,
        "picked_songs": songs,
        "search": query,
        "found_artists": [artist for artist in found_artists if artist not in artists],
        "found_songs": [song for song in found_songs if song not in songs],
    }


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
