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

from accounts.limits.limiter import limited
from accounts.models import User
from accounts.spotify import SpotifyError
from accounts.spotify.selectors import connection_of, is_connected
from accounts.spotify.web_api.client import client_for
from feedback.playlists.services import PlaylistFullError
from feedback.spotify_import import services
from feedback.spotify_import.forms import BringForm, DisconnectForm, PlaylistImportForm
from feedback.spotify_import.models import PARTS, SpotifyPlaylist, SpotifyPlaylistImport
from feedback.spotify_import.playlists import import_playlist as import_from_spotify
from feedback.spotify_import.saving import liked_ids, save_playlist
from feedback.spotify_import.selectors import progress_of
from feedback.web.http import is_htmx, listener_required


@require_http_methods(["GET", "HEAD", "POST"])
@listener_required
@never_cache
@vary_on_headers("HX-Request")
def spotify(request: HttpRequest) -> HttpResponse:
    """Show what can be imported and what was; start an import. The page itself does not call Spotify."""
    user = cast(User, request.user)
    form = BringForm(request.POST if request.method == "POST" else None, initial={"parts": list(PARTS)})
    progress = progress_of(user)
    if request.method == "POST" and not is_connected(user):
        messages.error(request, _("Connect Spotify in your profile first."))
        return redirect("accounts:profile")
    if request.method == "POST" and progress.spotify_import is not None and progress.spotify_import.is_busy:
        messages.info(request, _("Your Spotify import is already running."))
        return redirect("feedback:spotify")
    if form.is_valid():
        services.start_import(user=user, parts=form.cleaned_data["parts"])
        return redirect("feedback:spotify")
    context = {"form": form, "progress": progress}
    if is_htmx(request) and request.method == "GET":
        return render(request, "feedback/_spotify_progress.html", context)
    kinds = {transfer.record.kind for transfer in progress.saved}
    context |= {"spotify": connection_of(user), "saved_kinds": kinds}
    return render(request, "feedback/spotify.html", context, status=422 if form.errors else 200)


@require_POST
@listener_required
def take_back(request: HttpRequest) -> HttpResponse:
    """Delete what was brought."""
    messages.success(request, _deleted(services.take_back(user=cast(User, request.user))))
    return redirect("feedback:spotify")


@require_http_methods(["GET", "HEAD", "POST"])
@listener_required
@never_cache
def disconnect(request: HttpRequest) -> HttpResponse:
    """Ask what becomes of what was imported, and end the connection."""
    form = DisconnectForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "feedback/spotify_disconnect.html", {"form": form}, status=422 if form.errors else 200)
    keeps_imports = form.cleaned_data["imports"] == "keep"
    counts = services.disconnect_spotify(user=cast(User, request.user), keeps_imports=keeps_imports)
    if counts is not None:
        messages.success(request, _("Spotify is disconnected, and its access tokens have been deleted."))
    if counts:
        messages.success(request, _deleted(counts))
    return redirect("accounts:profile")


def _deleted(counts: dict[str, int]) -> str:
    text = _(
        "Deleted from Spotify imports: %(likes)d likes, %(plays)d plays, %(artists)d artists, %(playlists)d playlists "
        "and %(songs)d songs that you added and nobody uses."
    )
    return text % counts


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
        messages.error(request, _("That isn't one of your playlists."))
        return redirect("feedback:spotify_playlists")
    chosen = form.cleaned_data
    try:
        record = import_from_spotify(
            user=user, playlist_id=chosen["playlist"], name=chosen["name"], as_likes=chosen["into"] == "likes"
        )
    except SpotifyError as error:
        messages.error(request, error.message)
        # Not to the list of playlists: it would ask Spotify again, and the listener wait twice.
        return redirect("feedback:spotify")
    except PlaylistFullError as error:
        messages.error(request, str(error))
        return redirect("feedback:spotify_playlists")
    return _after_import(request, record)


def _after_import(request: HttpRequest, record: SpotifyPlaylistImport) -> HttpResponse:
    """Show how many songs were imported, of how many, with links to them."""
    counts = {
        "added": record.added,
        "matched": record.matched,
        "found": record.songs_read,
        "total": record.total,
        "unreadable": record.unreadable,
    }
    if not record.is_complete:
        text = _("We read %(found)d of %(total)d songs so far. The rest follows in the background.")
        messages.info(request, text % counts)
        return redirect("feedback:spotify")
    text = _("Added %(added)d songs. %(matched)d of the %(found)d are in the catalogue.")
    messages.success(request, text % counts)
    if record.unreadable:
        text = ngettext(
            "%(unreadable)d entry isn't a song on Spotify, such as a local file or a podcast.",
            "%(unreadable)d entries aren't songs on Spotify, such as local files or podcasts.",
            record.unreadable,
        )
        messages.info(request, text % counts)
    return redirect(record.playlist or "feedback:spotify_playlists")


@require_POST
@listener_required
@limited("search")
def save_likes(request: HttpRequest) -> HttpResponse:
    """Save the listener's likes as a playlist at Spotify, or bring it up to date."""
    user = cast(User, request.user)
    return save_and_say(request, SpotifyPlaylist.Kind.LIKES, _("My likes"), liked_ids(user))


def save_and_say(request: HttpRequest, kind: str, name: str, spotify_ids: list[str]) -> HttpResponse:
    """Save songs at Spotify and say so; the page of recommendations does it too."""
    try:
        saved = save_playlist(user=cast(User, request.user), kind=kind, name=name, spotify_ids=spotify_ids)
    except SpotifyError as error:
        messages.error(request, error.message)
        return redirect("feedback:spotify")
    values = {"name": name, "number": saved.song_count, "wanted": saved.wanted}
    if saved.pending:
        text = _("“%(name)s” on Spotify has %(number)d of %(wanted)d songs so far. The rest follows in the background.")
        messages.info(request, text % values)
        return redirect("feedback:spotify")
    text = ngettext(
        "“%(name)s” on Spotify now has %(number)d song.",
        "“%(name)s” on Spotify now has %(number)d songs.",
        saved.song_count,
    )
    messages.success(request, text % values)
    return redirect("feedback:spotify")
