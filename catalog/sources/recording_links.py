"""Links to the recording of a song: on Spotify, and the operator's own search links."""

from typing import TypedDict
from urllib.parse import quote_plus

from django.conf import settings

from catalog.models import Track

PLACE = "{song}"


class RecordingLink(TypedDict):
    """A place to hear a recording, by name."""

    name: str
    url: str


def recording_links(track: Track) -> list[RecordingLink]:
    """Return links to a song's recording; invented songs have none."""
    links: list[RecordingLink] = []
    if track.is_on_spotify:
        links.append({"name": "Spotify", "url": f"https://open.spotify.com/track/{track.spotify_id}"})
    if track.origin != Track.Origin.DEMO:
        words = quote_plus(f"{track.artist_names} {track.title}")
        links += [{"name": name, "url": url.replace(PLACE, words)} for name, url in settings.SEARCH_LINKS]
    return links
