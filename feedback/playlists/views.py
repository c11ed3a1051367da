"""Pages of playlists. Another listener's playlist answers 404."""

from typing import Any, cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.models import User
from catalog.models import Track
from feedback.playlists import selectors, services
from feedback.playlists.exports import playlist_file
from feedback.playlists.forms import KeepForm, MoveForm, PlaylistItemForm, PlaylistNameForm, RestoreForm
from feedback.playlists.models import Playlist
from feedback.web import exports
from feedback.web.http import is_htmx, listener_required, redirect_back

PAGE_SIZE = 50
LISTS_PAGE_SIZE = 50


def own_playlist(request: HttpRequest, pk: int) -> Playlist:
    """Return the listener's playlist ``pk``; anybody else's is not found."""
    return get_object_or_404(Playlist, pk=pk, owner=cast(User, request.user))


@require_http_methods(["GET", "HEAD", "POST"])
@listener_required
def playlists(request: HttpRequest) -> HttpResponse:
    """Show the listener's playlists; make one (``name``, and ``track`` or ``tracks`` to begin with)."""
    user = cast(User, request.user)
    form = PlaylistNameForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            made = services.create_playlist(owner=user, name=form.cleaned_data["name"], tracks=form.first_songs)
        except services.PlaylistFullError as error:
            form.add_error("name", str(error))
        else:
            return redirect(made)
    page = Paginator(selectors.playlists_of(user), LISTS_PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "playlists": selectors.pictured(page), "form": form}
    return render(request, "feedback/playlists.html", context, status=422 if form.errors else 200)


@require_safe
@listener_required
@never_cache
@vary_on_headers("HX-Request")
def playlist(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one playlist."""
    return _songs_page(request, own_playlist(request, pk))


@require_POST
@listener_required
def rename(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a playlist another name."""
    shown = own_playlist(request, pk)
    form = PlaylistNameForm(request.POST)
    if form.is_valid():
        services.rename_playlist(playlist=shown, name=form.cleaned_data["name"])
    else:
        messages.error(request, _("Give the playlist a name of up to 100 characters."))
    return redirect(shown)


@require_POST
@listener_required
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a playlist."""
    gone = own_playlist(request, pk)
    services.delete_playlist(playlist=gone)
    messages.success(request, _("Deleted the playlist %(name)s.") % {"name": gone.name})
    return redirect("feedback:playlists")


@require_POST
@listener_required
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """Move a song to another place of the playlist."""
    shown = own_playlist(request, pk)
    form = MoveForm(request.POST, tracks=selectors.tracks_of(shown))
    if not form.is_valid():
        return _refused(form)
    services.move_track(playlist=shown, track=form.cleaned_data["track"], index=form.cleaned_data["number"] - 1)
    return _changed(request, shown, form.cleaned_data["track"])


@require_POST
@listener_required
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a song out of the playlist, with the way back."""
    shown = own_playlist(request, pk)
    form = PlaylistItemForm(request.POST, tracks=selectors.tracks_of(shown))
    if not form.is_valid():
        return _refused(form)
    track: Track = form.cleaned_data["track"]
    removed = {
        "track": track.pk,
        "title": track.title,
        "position": services.remove_track(playlist=shown, track=track),
    }
    if is_htmx(request):
        return _songs_page(request, shown, removed)
    request.session["removed_from_playlist"] = {"playlist": shown.pk, **removed}
    return redirect_back(request)


@require_POST
@listener_required
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a song back that was taken out."""
    shown = own_playlist(request, pk)
    form = RestoreForm(request.POST, tracks=Track.objects.active())
    if not form.is_valid():
        return _refused(form)
    track: Track = form.cleaned_data["track"]
    services.put_track(playlist=shown, track=track, position=form.cleaned_data["position"])
    return _changed(request, shown, track)


@require_safe
@listener_required
def export(request: HttpRequest, pk: int, kind: str) -> HttpResponseBase:
    """Hand out the playlist as a file: ``m3u``, ``jspf`` or ``csv``."""
    return playlist_file(own_playlist(request, pk), kind, exports.page_address(request))


@require_http_methods(["GET", "HEAD", "POST"])
@listener_required
@never_cache
@vary_on_headers("HX-Request")
def track_playlists(request: HttpRequest, pk: int) -> HttpResponse:
    """Show in which of the listener's playlists a song is; add it to one, take it out, or begin one with it."""
    user = cast(User, request.user)
    track = get_object_or_404(Track.objects.active(), pk=pk)
    message = ""
    if request.method == "POST":
        message = _keep(request, user, track)
        if not message:
            return HttpResponseBadRequest("send playlist and keep, or name", content_type="text/plain")
        if not is_htmx(request):
            messages.success(request, message)
            return redirect_back(request)
    lists = selectors.playlists_with(user, track)[:LISTS_PAGE_SIZE]
    template = "feedback/_track_playlists.html" if is_htmx(request) else "feedback/track_playlists.html"
    return render(request, template, {"track": track, "playlists": lists, "said": message})


def _keep(request: HttpRequest, user: User, track: Track) -> str:
    """Do what the "Add to a playlist" form asks for and return what was done; empty for a form that does not fit."""
    named = PlaylistNameForm(request.POST)
    form = KeepForm(request.POST, playlists=Playlist.objects.filter(owner=user))
    try:
        if "playlist" not in request.POST and named.is_valid():
            made = services.create_playlist(owner=user, name=named.cleaned_data["name"], tracks=[track])
            return _("Added to your new playlist %(name)s.") % {"name": made.name}
        if not form.is_valid():
            return ""
        chosen: Playlist = form.cleaned_data["playlist"]
        if not form.cleaned_data["keep"]:
            services.remove_track(playlist=chosen, track=track)
            return _("Removed from %(name)s.") % {"name": chosen.name}
        services.add_tracks(playlist=chosen, tracks=[track])
        return _("Added to %(name)s.") % {"name": chosen.name}
    except services.PlaylistFullError as error:
        return str(error)


def _songs_page(request: HttpRequest, shown: Playlist, removed: dict[str, Any] | None = None) -> HttpResponse:
    # An htmx request that changes something is sent to another address than the page's, whose number it carries along.
    number = request.POST.get("page") or request.GET.get("page")
    page = Paginator(selectors.items_of(shown), PAGE_SIZE).get_page(number)
    if removed is None:
        remembered = request.session.get("removed_from_playlist")
        if remembered and remembered["playlist"] == shown.pk:
            removed = request.session.pop("removed_from_playlist")
    context = {
        "playlist": shown,
        "page": page,
        "tracks": [item.track for item in page],
        "first": page.start_index(),
        "removed": removed,
    }
    return render(request, "feedback/_playlist_songs.html" if is_htmx(request) else "feedback/playlist.html", context)


def _changed(request: HttpRequest, shown: Playlist, track: Track) -> HttpResponse:
    return _songs_page(request, shown) if is_htmx(request) else redirect_back(request, anchor=f"track-{track.pk}")


def _refused(form: PlaylistItemForm) -> HttpResponse:
    return HttpResponseBadRequest(form.errors.as_text(), content_type="text/plain")
