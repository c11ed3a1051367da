"""Spotify's mark, linked to the song there, beside its covers and titles, as its guidelines require."""

from django.utils.safestring import SafeString
from django.utils.translation import gettext

from accounts.fast.html import cached_per_language, fast_format_html
from catalog.drawing.icons import icon
from catalog.models import Track

_LINK = (
    '<a class="spotify-link" href="https://open.spotify.com/track/{id}" target="_blank" rel="noopener noreferrer"'
    ' aria-label="{label}">{mark}Spotify</a>'
)


@cached_per_language
def _label() -> str:
    return gettext("Open %(song)s on Spotify")


def spotify_link(track: Track) -> SafeString:
    """Return the mark as a link, empty for a song that shows nothing from Spotify."""
    if not track.cover_url or not track.is_on_spotify:
        return SafeString("")
    return link_to(str(track.spotify_id), track.title)


def link_to(spotify_id: str, title: str) -> SafeString:
    """Return the mark as a link to a song there, which need not be in the catalogue."""
    return fast_format_html(_LINK, id=spotify_id, label=_label() % {"song": title}, mark=icon("spotify"))
