"""Writes of Spotify imports: starting them, deleting what they imported, and disconnecting an account.

Playlists have their own modules: :mod:`feedback.spotify_import.playlists` and :mod:`feedback.spotify_import.saving`.
"""

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from accounts.locks import lock_user
from accounts.models import User
from accounts.spotify.selectors import connection_of
from accounts.spotify.services import disconnect
from catalog.models import AddedSong, Track
from feedback.playlists.models import Playlist
from feedback.plays.models import Play
from feedback.preferences.models import ArtistPreference
from feedback.queue.models import QueueItem
from feedback.ratings.models import Rating
from feedback.source import Source
from feedback.spotify_import.job import IMPORT_KIND
from feedback.spotify_import.models import SpotifyImport
from feedback.spotify_import.playlists import stop_imports
from feedback.spotify_import.saving import forget_playlists
from feedback.spotify_import.writes import Counts
from jobs import services as jobs

_BATCH = 500
# The relations of a song that keep it: somebody did something with it, or a music server has it.
SONG_USES = (
    "added_by",
    "ratings",
    "plays",
    "removed_doubles",
    "scrobbled_songs",
    "playlist_items",
    "blocks",
    "taste_exclusions",
    "server_songs",
)


@transaction.atomic
def start_import(*, user: User, parts: Sequence[str]) -> SpotifyImport:
    """Start importing ``parts`` (of :data:`feedback.spotify_import.models.PARTS`) in the background, as the listener
    consents. An import that a limit or a fault stopped is continued.
    """
    lock_user(user)
    known = SpotifyImport.objects.filter(user=user).first()
    counts, positions = {}, {}
    if known is not None and known.is_continuable:
        positions = {part: value for part, value in (known.positions or {}).items() if part in parts}
        counts = {part: value for part, value in known.counts.items() if part in positions}
    values = {
        "parts": list(parts),
        "counts": counts,
        "positions": positions,
        "error": "",
        "stalls": 0,
        "finished_at": None,
        "consented_at": timezone.now(),
    }
    spotify_import, _is_new = SpotifyImport.objects.update_or_create(user=user, defaults=values)
    jobs.enqueue(kind=IMPORT_KIND, user_id=user.pk, subject=spotify_import.subject)
    return spotify_import


@transaction.atomic
def take_back(*, user: User) -> Counts:
    """Delete everything imported from Spotify, but not later feedback given here. Return the numbers deleted."""
    lock_user(user)
    spotify_import = SpotifyImport.objects.select_for_update().filter(user=user).first()
    _stop(spotify_import)
    stop_imports(user)
    likes, _rows = Rating.objects.filter(user=user, source=Source.SPOTIFY).delete()
    plays, _rows = Play.objects.filter(user=user, source=Source.SPOTIFY).delete()
    artists = 0
    if spotify_import is not None:
        artists, _rows = ArtistPreference.objects.filter(user=user, artist__in=spotify_import.artist_ids).delete()
        spotify_import.delete()
    # Deleting counts the songs in them as well.
    lists = Playlist.objects.filter(owner=user, source=Source.SPOTIFY).count()
    Playlist.objects.filter(owner=user, source=Source.SPOTIFY).delete()
    songs = _delete_added_songs(user)
    return {"likes": likes, "plays": plays, "artists": artists, "playlists": lists, "songs": songs}


def _delete_added_songs(user: User) -> int:
    """Delete the songs that the listener added from Spotify and that nobody uses; forget of the others who added them.

    Returns how many were deleted. Whoever likes, plays or keeps a song, the listener too, goes on having it.
    """
    added = list(AddedSong.objects.filter(user=user).values_list("track_id", flat=True))
    AddedSong.objects.filter(user=user).delete()
    songs = 0
    for start in range(0, len(added), _BATCH):
        unused = Track.objects.filter(pk__in=added[start : start + _BATCH], origin=Track.Origin.SPOTIFY)
        for relation in SONG_USES:
            unused = unused.filter(**{f"{relation}__isnull": True})
        unused = unused.exclude(pk__in=QueueItem.objects.exclude(queue__user=user).values("track"))
        # As a list: MySQL deletes from no table that the condition reads.
        pks = list(unused.values_list("pk", flat=True))
        Track.objects.filter(pk__in=pks).delete()
        songs += len(pks)
    return songs


@transaction.atomic
def leave_account(user: User) -> None:
    """Delete the records about the listener's previous Spotify account.

    These are the playlists that the site saved there, and how far its lists were read. Registered with
    :func:`accounts.spotify.services.register_account_handler`.
    """
    spotify_import = SpotifyImport.objects.select_for_update().filter(user=user).first()
    _stop(spotify_import)
    if spotify_import is not None:
        spotify_import.positions = {}
        spotify_import.finished_at = spotify_import.finished_at or timezone.now()
        spotify_import.save(update_fields=["positions", "finished_at"])
    stop_imports(user)
    forget_playlists(user)


def _stop(spotify_import: SpotifyImport | None) -> None:
    job = spotify_import.job() if spotify_import is not None else None
    if job is not None and job.is_active:
        jobs.request_stop(job=job)


def disconnect_spotify(*, user: User, keeps_imports: bool) -> Counts | None:
    """Disconnect the listener from Spotify and, unless ``keeps_imports``, delete what was imported from there.

    Likes and plays made here stay in any case. Return the numbers deleted. Without a connection nothing is deleted, and
    the result is ``None``.
    """
    with transaction.atomic():
        lock_user(user)
        if connection_of(user) is None:
            return None
        counts = {} if keeps_imports else take_back(user=user)
        return counts if disconnect(user=user) else None
