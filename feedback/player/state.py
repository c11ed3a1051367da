"""The state of the player as JSON for its script."""

from typing import Any

from django.conf import settings
from django.urls import reverse

from accounts.models import User
from accounts.spotify.selectors import connection_of
from catalog.drawing.covers import cover_svg, shown_cover_url
from catalog.models import Track
from catalog.sources.recording_links import recording_links
from catalog.sources.sound.selectors import recording_of, server_cover_url
from feedback.queue.selectors import QueueState, queue_state
from feedback.ratings.selectors import rating_of


def player_state(user: User) -> dict[str, Any]:
    """Return the listener's queue as the player shows it, and whether it may use their Spotify account."""
    return {**state_json(user, queue_state(user)), "spotify": _spotify(user)}


def _spotify(user: User) -> dict[str, bool]:
    connection = connection_of(user) if settings.SPOTIFY_PLAYER else None
    if connection is None or connection.needs_reconnect:
        return {"connected": False, "streams": False}
    may_command = connection.permits("user-modify-playback-state")
    return {"connected": may_command, "streams": may_command and connection.permits("streaming")}


def state_json(user: User, state: QueueState) -> dict[str, Any]:
    """Return a queue's state; ``current`` is None where nothing was started."""
    current = state.current
    return {
        "current": current
        and {"item": current.pk, "is_radio": current.is_radio, "track": track_json(user, current.track)},
        "shuffle": state.is_shuffled,
        "origin": state.origin,
        "origin_url": state.origin_url,
        "has_previous": state.has_previous,
        "ahead": state.ahead,
        "is_playing": state.is_playing,
        "position_ms": state.position_ms,
        "song_ms_at": state.song_ms_at,
        "device": state.device,
    }


def track_json(user: User, track: Track) -> dict[str, Any]:
    """Return a song with its playback sources: an address each, empty if there is none."""
    on_spotify = track.is_on_spotify and settings.SPOTIFY_PLAYER
    recording = recording_of(track)
    return {
        "id": track.pk,
        "title": track.title,
        "artists": track.artist_names,
        "album": track.album,
        "url": track.get_absolute_url(),
        "cover": cover_svg(track),
        "cover_url": shown_cover_url(track) or server_cover_url(track),
        "duration_ms": track.duration_ms,
        "rating": rating_of(user, track),
        "rate_url": reverse("feedback:rate", args=[track.pk]),
        "why_url": reverse("recommender:song_why", args=[track.pk]),
        "links": recording_links(track),
        # In dB; null for songs without a recording, and where nobody knows how loud it is.
        "gain_db": recording.gain_db,
        "sources": {
            "file": recording.url,
            "spotify": f"spotify:track:{track.spotify_id}" if on_spotify else "",
            "preview": track.preview_url,
            "sketch": reverse("catalog:sketch", args=[track.pk]),
        },
    }
