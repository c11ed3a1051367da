"""Pages around a listener's songs at Spotify. Trouble with Spotify is a message on a page that works without it."""

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.limits import limited
from accounts.models import User
from accounts.spotify import SpotifyError
from accounts.spotify.client import client_for
from accounts.spotify.selectors import connection_of, is_connected
from feedback import spotify_services as services
from feedback.http import is_htmx, listener_required
from feedback.playlist_services import PlaylistFullError
from feedback.spotify_forms import BringForm, PlaylistImportForm
from feedback.spotify_models import PARTS, SpotifyBringing, SpotifyPlaylist


@require_http_methods(["GET", "HEAD", "POST"])
@listener_required
@never_cache
@vary_on_headers("HX-Request")
def spotify(request: HttpRequest) -> HttpResponse:
    """Show what can be brought and what was; begin bringing. It calls Spotify for nothing."""
    user = cast(User, request.user)
    form = BringForm(request.POST if request.method == "POST" else None, initial={"parts": list(PARTS)})
    if request.method == "POST" and not is_connected(user):
        messages.error(request, _("Connect your Spotify account in your profile first."))
        return redirect("accounts:profile")
    if request.method == "POST" and _progress(user)["is_busy"]:
        messages.info(request, _("Your songs are on their way already."))
        return redirect("feedback:spotify")
    if form.is_valid():
        services.begin_bringing(user=user, parts=form.cleaned_data["parts"])
        return redirect("feedback:spotify")
    context = {"form": form, **_progress(user)}
    if is_htmx(request) and request.method == "GET":
        return render(request, "feedback/_spotify_progress.html", context)
    context |= {"spotify": connection_of(user), "saved": _saved_playlists(user), "kinds": SpotifyPlaylist.Kind}
    return render(request, "feedback/spotify.html", context, status=422 if form.errors else 200)


@require_POST
@listener_required
def take_back(request: HttpRequest) -> HttpResponse:
    """Delete what was brought."""
    counts = services.take_back(user=cast(User, request.user))
    text = _(
        "Deleted: %(likes)d likes, %(plays)d plays, %(artists)d artists, %(playlists)d playlist rows from Spotify."
    )
    messages.success(request, text % counts)
    return redirect("feedback:spotify")


@require_safe
@listener_required
@never_cache
@limited("search")
def playlists(request: HttpRequest) -> HttpResponse:
    """Show the listener's playlists at Spotify."""
    user = cast(User, request.user)
    offset = request.GET.get("offset", "0")
    context: dict[str, Any] = {"page": None}
    try:
        client = client_for(user)
        context["page"] = client.my_playlists(my_id=client.my_id(), offset=offset if offset.isdigit() else "0")
    except SpotifyError as error:
        context["trouble"] = error.message
    return render(request, "feedback/spotify_playlists.html", context)


@require_POST
@listener_required
@limited("search")
def import_playlist(request: HttpRequest) -> HttpResponse:
    """Like the songs of a playlist, or make a private playlist of them."""
    user = cast(User, request.user)
    form = PlaylistImportForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("That is no playlist of yours."))
        return redirect("feedback:spotify_playlists")
    chosen = form.cleaned_data
    try:
        counts, made = services.import_playlist(
            user=user, playlist_id=chosen["playlist"], name=chosen["name"], as_likes=chosen["into"] == "likes"
        )
    except SpotifyError as error:
        messages.error(request, error.message)
        # Not to the list of playlists: it would ask Spotify again, and the listener wait twice.
        return redirect("feedback:spotify")
    except PlaylistFullError:
        messages.error(request, _("You have too many playlists already."))
        return redirect("feedback:spotify_playlists")
    text = _("%(added)d of %(found)d songs came in; %(matched)d of them are in the catalogue here.")
    messages.success(request, text % counts)
    if counts["total"] > counts["found"]:
        text = _("Only the first %(found)d of its %(total)d songs were read: it is long, or Spotify was slow.")
        messages.warning(request, text % counts)
    return redirect(made or "feedback:spotify_playlists")


@require_POST
@listener_required
@limited("search")
def save_likes(request: HttpRequest) -> HttpResponse:
    """Save the listener's likes as a playlist at Spotify, or bring it up to date."""
    user = cast(User, request.user)
    return save_and_say(request, SpotifyPlaylist.Kind.LIKES, _("My likes"), services.liked_tracks(user))


def save_and_say(request: HttpRequest, kind: str, name: str, tracks: list[Any]) -> HttpResponse:
    """Save ``tracks`` at Spotify and say so; the page of recommendations does it too."""
    try:
        saved = services.save_playlist(user=cast(User, request.user), kind=kind, name=name, tracks=tracks)
    except SpotifyError as error:
        messages.error(request, error.message)
    else:
        text = ngettext(
            "“%(name)s” at Spotify now holds %(number)d song.",
            "“%(name)s” at Spotify now holds %(number)d songs.",
            saved.song_count,
        )
        messages.success(request, text % {"name": name, "number": saved.song_count})
    return redirect("feedback:spotify")


def _progress(user: User) -> dict[str, Any]:
    bringing = SpotifyBringing.objects.filter(user=user).first()
    job = bringing.job() if bringing is not None and bringing.finished_at is None else None
    rows = []
    if bringing is not None:
        rows = [{"label": PARTS[part], **counts} for part, counts in bringing.counts.items() if part in PARTS]
    return {"bringing": bringing, "rows": rows, "job": job, "is_busy": job is not None and job.is_active}


def _saved_playlists(user: User) -> dict[str, SpotifyPlaylist]:
    return {saved.kind: saved for saved in SpotifyPlaylist.objects.filter(user=user)}
