"""The catalogue: songs, and where their recordings are."""

from catalog.models.recordings import REMOTE_ID_LENGTH, MusicServer, ServerSong, SoundAnalysis, SoundCalibration
from catalog.models.songs import (
    COVER_HOST,
    COVER_LENGTH,
    INVENTED_ID_PREFIX,
    MBID_LENGTH,
    SPOTIFY_ID_PATTERN,
    AddedSong,
    Artist,
    Genre,
    Track,
    TrackArtist,
    TrackCode,
    TrackQuerySet,
    display_name,
)

__all__ = [
    "COVER_HOST",
    "COVER_LENGTH",
    "INVENTED_ID_PREFIX",
    "MBID_LENGTH",
    "REMOTE_ID_LENGTH",
    "SPOTIFY_ID_PATTERN",
    "AddedSong",
    "Artist",
    "Genre",
    "MusicServer",
    "ServerSong",
    "SoundAnalysis",
    "SoundCalibration",
    "Track",
    "TrackArtist",
    "TrackCode",
    "TrackQuerySet",
    "display_name",
]
