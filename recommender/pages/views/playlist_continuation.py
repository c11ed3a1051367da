"""Filling a playlist with songs that go with it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from feedback.playlists.services import PlaylistFullError, add_tracks
from feedback.playlists.views import own_playlist
from feedback.web.http import listener_required
from recommender.pages.forms import AddForm, FillForm
from recommender.pages.playlist_continuation import continue_playlist


@require_http_methods(["GET", "HEAD", "POST"])
@listener_required
@never_cache
def fill(request: HttpRequest, pk: int) -> HttpResponse:
    """Show songs that go with the playlist, and add those that were ticked (``track``)."""
    playlist = own_playlist(request, pk)
    if request.method == "POST":
        form = AddForm(request.POST)
        if not form.is_valid():
            return HttpResponseBadRequest(form.errors.as_text(), content_type="text/plain")
        try:
            added = add_tracks(playlist=playlist, tracks=form.in_order())
        except PlaylistFullError as error:
            messages.error(request, str(error))
            return redirect(playlist)
        text = ngettext("%(number)d song added.", "%(number)d songs added.", added)
        messages.success(request, text % {"number": added})
        return redirect(playlist)
    choice = FillForm(request.GET)
    count, is_new = choice.choices_made()
    tracks = continue_playlist(playlist=playlist, k=count, is_new=is_new)
    context = {"playlist": playlist, "tracks": tracks, "count": count, "is_new": is_new, "counts": FillForm.COUNTS}
    return render(request, "recommender/playlist_fill.html", context)
