"""Addresses of a song's recording and cover, and how loud it is, for the player."""

from typing import NamedTuple

from django.urls import reverse

from catalog.models import ServerSong, SoundAnalysis, Track
from catalog.sources.sound.pieces import MP3, OF_SUFFIX, best_song, songs_with_cover

# What ReplayGain 2.0 makes songs as loud as.
_REFERENCE_LUFS = -18.0


class Recording(NamedTuple):
    """Where a song's recording is, "" if there is none, and the gain in dB that makes it as loud as others."""

    url: str
    gain_db: float | None


def recording_of(track: Track) -> Recording:
    """Return a song's recording. The gain is that of its tags, else as measured."""
    song = best_song(track)
    return Recording(_url_of(track, song, "catalog:song_file"), _gain_of(song) if song else None)


def file_url(track: Track, *, name: str = "catalog:song_file") -> str:
    """Return the URL of the recording, as an MP3 if browsers cannot play it; "" if there is none."""
    return _url_of(track, best_song(track), name)


def _url_of(track: Track, song: ServerSong | None, name: str) -> str:
    if song is None:
        return ""
    address = reverse(name, args=[track.pk])
    return address if song.suffix in OF_SUFFIX or not song.suffix else f"{address}?format={MP3}"


def _gain_of(song: ServerSong) -> float | None:
    if song.gain_db is not None:
        return song.gain_db
    analyses = SoundAnalysis.objects.filter(server_song=song, digest=song.digest, state=SoundAnalysis.State.MEASURED)
    loudness = analyses.values_list("loudness", flat=True).first()
    return None if loudness is None else round(_REFERENCE_LUFS - loudness, 2)


def server_cover_url(track: Track) -> str:
    """Return the URL of a music server's cover; "" for songs of which it has none."""
    return reverse("catalog:song_cover", args=[track.pk]) if songs_with_cover(track).exists() else ""
