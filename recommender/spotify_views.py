"""The listener's recommendations as a playlist at Spotify."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.limits import limited
from accounts.models import User
from feedback.http import listener_required
from feedback.spotify_models import SpotifyPlaylist
from feedback.spotify_views import save_and_say
from recommender.services import recommend_feed

_SONGS = 50


@require_POST
@listener_required
@limited("search")
def save(request: HttpRequest) -> HttpResponse:
    """Save what would be shown now, or bring the playlist up to date with it."""
    feed = recommend_feed(user=cast(User, request.user), k=_SONGS)
    tracks = [item.track for item in feed.items] if feed is not None else []
    if not tracks:
        messages.error(request, _("There are no recommendations to save yet."))
        return redirect("feedback:spotify")
    return save_and_say(request, SpotifyPlaylist.Kind.FOR_YOU, _("For you"), tracks)
