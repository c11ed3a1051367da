"""Writes around a listener's songs at Spotify: asking for them, taking them back, the end of an account's connection.

Playlists have their own modules: :mod:`feedback.spotify_import.playlists` and :mod:`feedback.spotify_import.saving`.
"""

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from accounts.locks import lock_user
from accounts.models import User
from accounts.spotify.services import disconnect
from feedback.playlists.models import Playlist
from feedback.plays.models import Play
from feedback.preferences.models import ArtistPreference
from feedback.ratings.models import Rating
from feedback.source import Source
from feedback.spotify_import.job import BRING
from feedback.spotify_import.models import SpotifyBringing
from feedback.spotify_import.playlists import stop_imports
from feedback.spotify_import.saving import forget_playlists
from feedback.spotify_import.writes import Counts
from jobs import services as jobs


@transaction.atomic
def begin_bringing(*, user: User, parts: Sequence[str]) -> SpotifyBringing:
    """Have ``parts`` (of :data:`feedback.spotify_import.models.PARTS`) brought in the background, as the listener
    consents. What a limit or a fault stopped in the middle is continued.
    """
    lock_user(user)
    known = SpotifyBringing.objects.filter(user=user).first()
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
    bringing, _is_new = SpotifyBringing.objects.update_or_create(user=user, defaults=values)
    jobs.enqueue(kind=BRING, user_id=user.pk, subject=bringing.subject)
    return bringing


@transaction.atomic
def take_back(*, user: User) -> Counts:
    """Delete all that came from Spotify; what the listener said or heard here since stays. Returns how much it was."""
    lock_user(user)
    bringing = SpotifyBringing.objects.select_for_update().filter(user=user).first()
    _stop(bringing)
    stop_imports(user)
    likes, _rows = Rating.objects.filter(user=user, source=Source.SPOTIFY).delete()
    plays, _rows = Play.objects.filter(user=user, source=Source.SPOTIFY).delete()
    artists = 0
    if bringing is not None:
        artists, _rows = ArtistPreference.objects.filter(user=user, artist__in=bringing.artist_ids).delete()
        bringing.delete()
    # Deleting counts the songs in them as well.
    lists = Playlist.objects.filter(owner=user, source=Source.SPOTIFY).count()
    Playlist.objects.filter(owner=user, source=Source.SPOTIFY).delete()
    return {"likes": likes, "plays": plays, "artists": artists, "playlists": lists}


@transaction.atomic
def leave_account(user: User) -> None:
    """Forget what belongs to the Spotify account that was the listener's until now.

    That is which playlists of it are the site's, and how far its lists were read. Registered with
    :func:`accounts.spotify.services.register_account_handler`.
    """
    bringing = SpotifyBringing.objects.select_for_update().filter(user=user).first()
    _stop(bringing)
    if bringing is not None:
        bringing.positions = {}
        bringing.finished_at = bringing.finished_at or timezone.now()
        bringing.save(update_fields=["positions", "finished_at"])
    stop_imports(user)
    forget_playlists(user)


def _stop(bringing: SpotifyBringing | None) -> None:
    job = bringing.job() if bringing is not None else None
    if job is not None and job.is_active:
        jobs.request_stop(job=job)


def disconnect_spotify(*, user: User, keeps_imports: bool) -> Counts | None:
    """End the listener's connection with Spotify; unless they keep it, delete what came from there, too.

    Likes made here, and plays here, stay in any case. Returns how much was deleted; ``None`` where there was no
    connection.
    """
    with transaction.atomic():
        counts = {} if keeps_imports else take_back(user=user)
        return counts if disconnect(user=user) else None
