"""The state of a listener's player, with which its calls are answered."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse

from accounts.models import User
from catalog.sources.sound.selectors import file_url
from feedback.player.state import track_json
from feedback.queue.selectors import queue_state


def playback_of(user: User, *, unknown_songs: Sequence[int] = ()) -> dict[str, Any]:
    """Return the state of the listener's player; every address in it is one that a token opens."""
    state = queue_state(user)
    item = state.current
    current = item and {
        "item": item.pk,
        "is_radio": item.is_radio,
        "song": item.track,
        "means": {
            **track_json(user, item.track)["sources"],
            "file": file_url(item.track, name="api:song_file"),
            "sketch": reverse("api:song_sketch", kwargs={"song_id": item.track.pk}),
        },
    }
    return {
        "current": current,
        "is_playing": state.is_playing,
        "position_ms": state.song_ms,
        "position_at": state.song_ms_at,
        "device": state.device,
        "shuffle": state.is_shuffled,
        "has_previous": state.has_previous,
        "ahead": state.ahead,
        "unknown_songs": list(unknown_songs),
    }
