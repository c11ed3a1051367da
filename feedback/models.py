"""What the listener did and keeps: the models of all rooms, for Django to find."""

from feedback.history_import.models import HistoryImport, UnmatchedSong
from feedback.playlists.models import Playlist, PlaylistItem
from feedback.plays.models import Play, RemovedDouble
from feedback.preferences.models import ArtistPreference, Block, GenrePreference, TasteAdjustment, TasteExclusion
from feedback.queue.models import PlayQueue, QueueItem
from feedback.ratings.models import Rating
from feedback.spotify_import.models import SpotifyBringing, SpotifyPlaylist, SpotifyPlaylistImport

__all__ = [
    "ArtistPreference",
    "Block",
    "GenrePreference",
    "HistoryImport",
    "Play",
    "PlayQueue",
    "Playlist",
    "PlaylistItem",
    "QueueItem",
    "Rating",
    "RemovedDouble",
    "SpotifyBringing",
    "SpotifyPlaylist",
    "SpotifyPlaylistImport",
    "TasteAdjustment",
    "TasteExclusion",
    "UnmatchedSong",
]
