"""Writes of the feedback app."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.core import signing
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.locks import wait_for_other_changes
from accounts.models import User
from catalog.models import Artist, Genre, Track
from feedback.history_models import HistoryImport
from feedback.models import ArtistPreference, GenrePreference, Play, Rating, Source
from feedback.playlist_services import move_playlist_items
from feedback.steering_services import move_steering
from jobs.races import racing

_REMOVED_SALT = "feedback.removed-play"
# A removed play can be put back as long as its page may still lie open.
_UNDO_SECONDS = 24 * 3600


class HiddenTrackError(Exception):
    """The song was hidden by the operator, so nothing new is recorded about it."""


class UndoError(Exception):
    """What was to be undone is not (or no longer) the listener's to undo."""


@transaction.atomic
def rate(*, user: User, track: Track, value: int | None, source: str = Source.SITE) -> None:
    """Set the listener's rating of a song: ``Rating.Value.LIKE``, ``DISLIKE`` or, to clear it, None.

    One row per listener and song is left whatever comes at the same time; the last write wins. Raises
    ``HiddenTrackError``, and ``ValueError`` for any other value.
    """
    _refuse_hidden(track)
    # One listener's clicks wait for each other: on MariaDB a like and its undo at once would lock each other out.
    wait_for_other_changes(user)
    if value is None:
        Rating.objects.filter(user=user, track=track).delete()
        return
    rating = Rating(user=user, track=track, value=Rating.Value(value), source=Source(source))
    # MariaDB finds the row to update by whichever unique index it hits and takes no target.
    has_target = connection.features.supports_update_conflicts_with_target
    Rating.objects.bulk_create(
        [rating],
        update_conflicts=True,
        update_fields=["value", "source", "updated_at"],
        unique_fields=["user", "track"] if has_target else None,
    )


@transaction.atomic
def record_play(
    *,
    user: User,
    track: Track,
    token: UUID | None = None,
    played_at: datetime | None = None,
    ms_played: int | None = None,
    outcome: str = Play.Outcome.STARTED,
    source: str = Source.SITE,
) -> tuple[Play, bool]:
    """Record that the listener played a song; return the play and whether it is new.

    A ``token`` that was seen before records nothing and returns the play it stands for. Raises ``HiddenTrackError``.
    """
    _refuse_hidden(track)
    play = Play(
        user=user,
        track=track,
        token=token,
        played_at=played_at or timezone.now(),
        ms_played=ms_played,
        outcome=Play.Outcome(outcome),
        source=Source(source),
    )
    return _insert_once(play)


def _insert_once(play: Play) -> tuple[Play, bool]:
    try:
        with racing():
            play.save(force_insert=True)
    except IntegrityError:
        known = Q(token=play.token, token__isnull=False) | Q(digest=play.digest, digest__isnull=False)
        earlier = Play.objects.filter(known, user_id=play.user_id).first()
        if earlier is None:
            raise
        return earlier, False
    return play, True


@transaction.atomic
def remove_play(*, play: Play) -> str:
    """Take a play out of the history; return the signed text with which ``restore_play`` puts it back."""
    columns = {
        "user": play.user_id,
        "track": play.track_id,
        "played_at": play.played_at.isoformat(),
        "ms_played": play.ms_played,
        "outcome": play.outcome,
        "source": play.source,
        "is_counted": play.is_counted,
        "digest": play.digest,
        "history_import_id": play.history_import_id,
        # Restored twice, it must still be one play.
        "token": str(play.token or uuid4()),
    }
    play.delete()
    return signing.dumps(columns, salt=_REMOVED_SALT, compress=True)


@transaction.atomic
def restore_play(*, user: User, removed: str) -> Play:
    """Put back what ``remove_play`` took out, once. Raises ``UndoError``."""
    try:
        columns: dict[str, Any] = signing.loads(removed, salt=_REMOVED_SALT, max_age=_UNDO_SECONDS)
    except signing.BadSignature as error:
        raise UndoError(str(error)) from error
    if columns.pop("user") != user.pk:
        raise UndoError("another listener's play")
    track = Track.objects.active().filter(pk=columns.pop("track")).first()
    if track is None:
        raise UndoError("the song is gone")
    played_at = datetime.fromisoformat(columns.pop("played_at"))
    if not HistoryImport.objects.filter(pk__in=[columns.get("history_import_id") or 0], user=user).exists():
        columns["history_import_id"] = None
    play = Play(user=user, track=track, played_at=played_at, token=UUID(columns.pop("token")), **columns)
    return _insert_once(play)[0]


@transaction.atomic
def set_preferences(*, user: User, genres: Collection[Genre], artists: Collection[Artist]) -> None:
    """Make ``genres`` and ``artists`` the listener's stated preferences, in place of the earlier ones."""
    set_genres(user=user, genres=genres)
    set_artists(user=user, artists=artists)


@transaction.atomic
def set_genres(*, user: User, genres: Collection[Genre]) -> None:
    """Make ``genres`` the ones the listener prefers, in place of the earlier ones."""
    GenrePreference.objects.filter(user=user).exclude(genre__in=genres).delete()
    GenrePreference.objects.bulk_create(
        [GenrePreference(user=user, genre=genre) for genre in genres], ignore_conflicts=True
    )


@transaction.atomic
def set_artists(*, user: User, artists: Collection[Artist]) -> None:
    """Make ``artists`` the ones the listener prefers, in place of the earlier ones."""
    ArtistPreference.objects.filter(user=user).exclude(artist__in=artists).delete()
    ArtistPreference.objects.bulk_create(
        [ArtistPreference(user=user, artist=artist) for artist in artists], ignore_conflicts=True
    )


@transaction.atomic
def save_picks(*, user: User, artists: Collection[Artist], tracks: Collection[Track]) -> None:
    """Keep a new listener's picks: the artists preferred, and a like for each song."""
    set_artists(user=user, artists=artists)
    for track in tracks:
        rate(user=user, track=track, value=Rating.Value.LIKE)


@transaction.atomic
def move_feedback(duplicate: Track, keep: Track) -> None:
    """Move what listeners did with ``duplicate`` to ``keep``; of two ratings by one listener the newest stays.

    Called by :func:`catalog.merging.merge_tracks`, which holds a lock on both songs.
    """
    kept = dict(Rating.objects.filter(track=keep).values_list("user_id", "updated_at"))
    moved = dict(Rating.objects.filter(track=duplicate).values_list("user_id", "updated_at"))
    both = kept.keys() & moved.keys()
    outdated = {user_id for user_id in both if kept[user_id] < moved[user_id]}
    _delete_ratings(keep, outdated)
    _delete_ratings(duplicate, both - outdated)
    Rating.objects.filter(track=duplicate).update(track=keep)
    Play.objects.filter(track=duplicate).update(track=keep)
    move_playlist_items(duplicate, keep)
    move_steering(duplicate, keep)


def _delete_ratings(track: Track, user_ids: Collection[int]) -> None:
    ids = sorted(user_ids)
    for start in range(0, len(ids), 500):
        Rating.objects.filter(track=track, user_id__in=ids[start : start + 500]).delete()


def _refuse_hidden(track: Track) -> None:
    if not track.is_active:
        raise HiddenTrackError(f"song {track.pk} is hidden")
