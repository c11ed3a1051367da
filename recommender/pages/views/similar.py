"""Similar songs: a page, or a panel of the song page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.models import User
from catalog.models import Track
from feedback.web.http import is_htmx
from recommender.pages.similar import similar_tracks


@require_safe
@vary_on_headers("HX-Request", "HX-Boosted", "HX-History-Restore-Request")
def similar(request: HttpRequest, pk: int) -> HttpResponse:
    """Show songs similar to one song: a page, or the panel of the song page."""
    track = get_object_or_404(Track.objects.active(), pk=pk)
    tracks = similar_tracks(track=track, user=request.user if isinstance(request.user, User) else None)
    empty_text = _("We don't know this song well enough yet. Similar songs will appear after the next retraining.")
    if tracks is not None:
        empty_text = _("No similar songs yet.")
    template = "recommender/_similar.html" if is_htmx(request) else "recommender/similar.html"
    return render(request, template, {"track": track, "tracks": tracks, "empty_text": empty_text})
