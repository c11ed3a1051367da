"""The models of all sub-packages, for Django to find."""

from feedback.history_import.models import HistoryImport, UnmatchedSong
from feedback.music_servers.models import PushedPlaylist, ServerAccount, ServerMark
from feedback.playlists.models import Playlist, PlaylistItem
from feedback.plays.models import Play, RemovedDouble
from feedback.preferences.models import ArtistPreference, Block, GenrePreference, TasteAdjustment, TasteExclusion
from feedback.queue.models import PlayQueue, QueueItem
from feedback.ratings.models import Rating
from feedback.scrobbling.models import OldProtocols, Scrobble, ScrobbledSong, ScrobbleKey
from feedback.spotify_import.models import SpotifyImport, SpotifyPlaylist, SpotifyPlaylistImport
from feedback.year_review.models import YearShare

__all__ = [
    "ArtistPreference",
    "Block",
    "GenrePreference",
    "HistoryImport",
    "OldProtocols",
    "Play",
    "PlayQueue",
    "Playlist",
    "PlaylistItem",
    "PushedPlaylist",
    "QueueItem",
    "Rating",
    "RemovedDouble",
    "Scrobble",
    "ScrobbleKey",
    "ScrobbledSong",
    "ServerAccount",
    "ServerMark",
    "SpotifyImport",
    "SpotifyPlaylist",
    "SpotifyPlaylistImport",
    "TasteAdjustment",
    "TasteExclusion",
    "UnmatchedSong",
    "YearShare",
]
