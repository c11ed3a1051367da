"""The listener's recommendations as a playlist at Spotify."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.limits.limiter import limited
from accounts.models import User
from feedback.spotify_import.models import SpotifyPlaylist
from feedback.spotify_import.views import save_and_say
from feedback.web.http import listener_required
from recommender.pages.feed import recommend_feed

_SONGS = 50


@require_POST
@listener_required
@limited("search")
def save(request: HttpRequest) -> HttpResponse:
    """Save what would be shown now, or bring the playlist up to date with it."""
    feed = recommend_feed(user=cast(User, request.user), k=_SONGS)
    tracks = [item.track for item in feed.items] if feed is not None else []
    spotify_ids = [str(track.spotify_id) for track in tracks if track.spotify_id]
    if not tracks:
        messages.error(request, _("There are no recommendations to save yet. Like a few songs first."))
        return redirect("feedback:spotify")
    return save_and_say(request, SpotifyPlaylist.Kind.FOR_YOU, _("For you"), spotify_ids)
