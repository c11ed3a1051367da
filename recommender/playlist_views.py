"""Filling a playlist with songs that go with it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from feedback.http import listener_required
from feedback.playlist_services import MAX_SONGS, PlaylistFullError, add_tracks
from feedback.playlist_views import own_playlist
from recommender.filling import songs_like
from recommender.forms import AddForm, FillForm


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
        except PlaylistFullError:
            messages.error(
                request, _("There is no room for them: %(limit)d songs are the most.") % {"limit": MAX_SONGS}
            )
            return redirect(playlist)
        said = ngettext("%(number)d song added.", "%(number)d songs added.", added)
        messages.success(request, said % {"number": added})
        return redirect(playlist)
    asked = FillForm(request.GET)
    count, is_new = asked.choices_made()
    tracks = songs_like(playlist=playlist, k=count, is_new=is_new)
    context = {"playlist": playlist, "tracks": tracks, "count": count, "is_new": is_new, "counts": FillForm.COUNTS}
    return render(request, "recommender/playlist_fill.html", context)
