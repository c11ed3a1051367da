"""Addresses of a song's recording and cover, for the player."""

from django.urls import reverse

from catalog.models import Track
from catalog.sources.sound.pieces import MP3, OF_SUFFIX, best_song


def file_url(track: Track, *, name: str = "catalog:song_file") -> str:
    """Return the URL of the recording, as an MP3 if browsers cannot play it; "" if there is none."""
    song = best_song(track)
    if song is None:
        return ""
    address = reverse(name, args=[track.pk])
    return address if song.suffix in OF_SUFFIX or not song.suffix else f"{address}?format={MP3}"


def server_cover_url(track: Track) -> str:
    """Return the URL of a music server's cover; "" for songs without a file."""
    return reverse("catalog:song_cover", args=[track.pk]) if track.has_file else ""
