"""The page of players: their tokens, what plays now, and what matched no song."""

import time
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.limits.limiter import limited
from accounts.models import User
from catalog.models import Track
from catalog.search.selectors import search
from feedback.hidden import HiddenTrackError
from feedback.scrobbling.forms import KeyForm
from feedback.scrobbling.keys import (
    MAX_KEYS,
    TooManyKeysError,
    create_key,
    has_old_protocols,
    revoke_key,
    set_old_protocols,
)
from feedback.scrobbling.models import ScrobbledSong, ScrobbleKey
from feedback.scrobbling.now_playing import playing
from feedback.scrobbling.selectors import keys_of_listener, matched_by_hand, waiting_songs
from feedback.scrobbling.waiting import match_by_hand, undo_match
from feedback.web.http import listener_of, listener_required, page_of

_MOST_MATCHED = 30
_RESULTS = 20


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@listener_required
def players(request: HttpRequest) -> HttpResponse:
    """Show the listener's players and make a token, whose text is shown this once."""
    user = listener_of(request)
    form, token = KeyForm(request.POST if request.method == "POST" else None), ""
    if form.is_valid():
        try:
            _key, token = create_key(user=user, **form.cleaned_data)
            form = KeyForm()
        except TooManyKeysError:
            text = _("You already have %(most)d player tokens, which is the limit. Revoke one first.")
            form.add_error(None, text % {"most": MAX_KEYS})
    context = _context(request, user) | {"form": form, "token": token}
    return render(request, "feedback/players.html", context, status=422 if form.errors else 200)


@require_POST
@listener_required
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Revoke a token of a player."""
    key = get_object_or_404(ScrobbleKey, pk=pk, user=listener_of(request))
    revoke_key(key=key)
    messages.success(request, _("“%(name)s” has been revoked.") % {"name": key.name})
    return redirect("feedback:players")


@require_POST
@listener_required
def old_protocols(request: HttpRequest) -> HttpResponse:
    """Switch the old protocols on or off."""
    set_old_protocols(user=listener_of(request), is_on=request.POST.get("on") == "1")
    return redirect("feedback:players")


@require_safe
@limited("search")
@listener_required
def match(request: HttpRequest, pk: int) -> HttpResponse:
    """Search the song that a player's name means."""
    song = get_object_or_404(ScrobbledSong, pk=pk, user=listener_of(request), track__isnull=True)
    query = request.GET.get("q", f"{song.title} {song.artist}")[:200]
    ids = search(query).track_ids[:_RESULTS]
    tracks = Track.objects.active().prefetch_related("credits__artist").in_bulk(ids)
    # Not "query", which stands in the site's own search field.
    context = {"song": song, "words": query, "tracks": [tracks[number] for number in ids if number in tracks]}
    return render(request, "feedback/player_match.html", context)


@require_POST
@listener_required
def choose(request: HttpRequest, pk: int) -> HttpResponse:
    """Match a player's name to a song, for all its listens."""
    user = listener_of(request)
    song = get_object_or_404(ScrobbledSong, pk=pk, user=user, track__isnull=True)
    number = request.POST.get("track", "")
    is_id = number.isascii() and number.isdigit() and len(number) < 19
    track = get_object_or_404(Track.objects.active(), pk=int(number) if is_id else 0)
    try:
        plays = match_by_hand(user=user, song=song, track=track)
    except HiddenTrackError as error:
        raise Http404 from error
    text = ngettext("%(plays)d play added to your history.", "%(plays)d plays added to your history.", plays)
    messages.success(request, text % {"plays": plays})
    return redirect("feedback:players")


@require_POST
@listener_required
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo a match."""
    user = listener_of(request)
    song = get_object_or_404(ScrobbledSong, pk=pk, user=user, is_by_hand=True)
    undo_match(user=user, song=song)
    messages.success(request, _("“%(song)s” is waiting for a match again.") % {"song": song.title})
    return redirect("feedback:players")


def _context(request: HttpRequest, user: User) -> dict[str, Any]:
    return {
        "keys": keys_of_listener(user),
        "playing": playing(user.pk, int(time.time())),
        "has_old_protocols": has_old_protocols(user),
        "page": page_of(request, waiting_songs(user)),
        "matched": matched_by_hand(user)[:_MOST_MATCHED],
        "address": request.build_absolute_uri("/").rstrip("/"),
    }
