"""Template tags of the player: its settings, and the buttons that send it songs."""

from collections.abc import Iterable
from typing import Any

from django import template
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from catalog.markup import once_per_language
from catalog.models import Track
from feedback.http import return_address

register = template.Library()

_PATHS = (
    "state", "queue", "play", "list", "add", "remove", "jump", "next", "previous", "shuffle", "clear", "report",
    "spotify_token", "spotify_devices", "spotify_now", "spotify_command",
)  # fmt: skip


@register.simple_tag
@once_per_language
def player_settings() -> dict[str, Any]:
    """Return what the player's script has to know: addresses and texts."""
    return {
        "urls": {name: reverse(f"player:{name}") for name in _PATHS},
        "texts": {
            "play": _("Play"),
            "pause": _("Pause"),
            "listen": _("Listen"),
            "sketch": _("Sketch"),
            "sketch_help": _("No recording: a short piece of music made from what is known of the song's sound."),
            "preview": _("Preview"),
            "preview_help": _("An excerpt of the recording."),
            "embed": _("Spotify"),
            "embed_help": _("Spotify's own player. Whole songs need a log-in at Spotify in this browser."),
            "sdk": _("Spotify"),
            "sdk_help": _("Through your Spotify account, in this browser."),
            "device": _("Spotify device"),
            "device_help": _("Through your Spotify account, on the device that is active there."),
            "now": _("Now playing: %(song)s by %(artists)s (%(means)s)"),
            "like": _("Like"),
            "unlike": _("Take the like back"),
            "dislike": _("Dislike"),
            "undislike": _("Take the dislike back"),
            "failed": _("That did not work. Please try again."),
            "unplayable": _("This song could not be played."),
            "blocked": _("Press play: the browser wants a click before there is sound."),
            "ended": _("There is no song left to go on with."),
            "added": _("Added to the queue."),
            "from": _("From %(origin)s"),
            "radio": _("Recommended for you"),
            "logged_out": _("You are logged out."),
        },
    }


@register.inclusion_tag("feedback/_play_all.html", takes_context=True)
def play_all(
    context: template.Context,
    tracks: Iterable[Track] | str,
    origin: str,
    source: str = "",
    source_id: int | None = None,
) -> dict[str, Any]:
    """Return the context of the button that plays a whole list: its ids or, over several pages, its ``source``.

    ``tracks`` may be given as ids with commas between them.
    """
    request: HttpRequest = context["request"]
    ids = tracks if isinstance(tracks, str) else ",".join(str(track.pk) for track in tracks)
    return {
        "ids": ids if request.user.is_authenticated else "",
        "origin": origin,
        "origin_url": return_address(request),
        "source": source,
        "source_id": source_id,
    }
