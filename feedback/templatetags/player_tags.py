"""Template tags of the player: its settings, and the buttons that send it songs."""

from collections.abc import Iterable
from typing import Any

from django import template
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.fast.html import cached_per_language
from catalog.models import Track
from feedback.web.http import return_address

register = template.Library()

_PATHS = (
    "state", "playing", "queue", "play", "list", "add", "remove", "move", "jump", "next", "previous", "shuffle",
    "clear", "report", "spotify_token", "spotify_devices", "spotify_now", "spotify_command",
)  # fmt: skip


@register.simple_tag
@cached_per_language
def player_settings() -> dict[str, Any]:
    """Return the settings of the player's script: addresses and texts."""
    return {
        "urls": {name: reverse(f"player:{name}") for name in _PATHS},
        "texts": {
            "play": _("Play"),
            "pause": _("Pause"),
            "pause_song": _("Pause %(song)s"),
            "listen": _("Play"),
            "file": _("Recording"),
            "file_help": _("The recording, from this site's own music."),
            "sketch": _("Sketch"),
            "sketch_help": _("A 25-second sketch made from this song's sound, not the recording."),
            "preview": _("Preview"),
            "preview_help": _("An excerpt of the recording."),
            "embed": _("Spotify"),
            "embed_help": _("Spotify's own player. To hear whole songs, log in to Spotify in this browser."),
            "sdk": _("Spotify"),
            "sdk_help": _("Through your Spotify account, in this browser."),
            "device": _("Spotify device"),
            "device_help": _("Through your Spotify account, on your active device."),
            "open": _("Open player"),
            "close": _("Close player"),
            "now": _("Now playing: %(song)s by %(artists)s (%(source)s)"),
            "like": _("Like"),
            "unlike": _("Remove like"),
            "dislike": _("Dislike"),
            "undislike": _("Remove dislike"),
            "failed": _("That didn't work. Please try again."),
            "unplayable": _("We couldn't play this song."),
            "elsewhere": _("Spotify is playing “%(song)s” by %(artists)s."),
            "other_device": _("Spotify went on to another of your devices."),
            "plays_in_browser": _("Playing in another window or browser."),
            "plays_on": _("Playing on %(device)s."),
            "no_active_device": _("None of your devices is active. Open Spotify on one of them, then try again."),
            "needs_premium": _("Whole songs in this browser need Spotify Premium."),
            "sdk_failed": _("Spotify's player in this browser failed."),
            "sdk_lost": _("Spotify's player in this browser lost its connection."),
            "blocked": _("Press play. Your browser needs a click before it allows sound."),
            "ended": _("There are no more songs to play."),
            "added": _("Added to your queue."),
            "from": _("From %(origin)s"),
            "radio": _("Recommended for you"),
            "logged_out": _("You've been logged out. Log in again to continue."),
        },
    }


@register.inclusion_tag("feedback/_play_all.html", takes_context=True)
def play_all(
    context: template.Context,
    tracks: Iterable[Track] | str,
    origin: str,
    source: str = "",
    source_id: int | None = None,
    *,
    big: bool = False,
) -> dict[str, Any]:
    """Return the context of the button that plays a whole list: its ids or, over several pages, its ``source``.

    ``tracks`` may be given as ids with commas between them. A page about one thing has a ``big`` button.
    """
    request: HttpRequest = context["request"]
    ids = tracks if isinstance(tracks, str) else ",".join(str(track.pk) for track in tracks)
    return {
        "ids": ids if request.user.is_authenticated else "",
        "origin": origin,
        "origin_url": return_address(request),
        "source": source,
        "source_id": source_id,
        "big": big,
    }
