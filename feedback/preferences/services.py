"""Writes of a listener's preferences: stated favourites, blocks, adjustments, exclusions and private sessions."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.locks import lock_user
from accounts.models import User
from catalog.features import FEATURES
from catalog.models import Artist, Genre, Track
from feedback.preferences.models import ArtistPreference, Block, GenrePreference, TasteAdjustment, TasteExclusion
from feedback.web.feed_cache import invalidate_feed, invalidates_feed

PreferenceTarget: TypeAlias = Artist | Genre | str
"""What a preference is about: an artist, a genre, or the name of an audio feature."""
SNOOZE_DAYS = 30
LEVELS = {"off": 0.0, "down": 0.5, "normal": 1.0, "up": 2.0}


class PeriodError(ValueError):
    """A period ends before it begins."""


@invalidates_feed
@transaction.atomic
def block(*, user: User, target: Track | Artist | Genre, until: datetime | None = None) -> Block:
    """Stop recommending ``target`` to the listener, for good or until a time; replace an earlier block.

    Raise ``PeriodError`` if ``until`` has passed.
    """
    if until is not None and until <= timezone.now():
        raise PeriodError("until: must be in the future")
    row, _created = Block.objects.update_or_create(
        user=user, **_named(target), defaults={"until": until, "created_at": timezone.now()}
    )
    return row


def snooze(*, user: User, track: Track) -> Block:
    """Block a song for ``SNOOZE_DAYS`` ("not now"); a song that is blocked for longer stays so."""
    until = timezone.now() + timedelta(days=SNOOZE_DAYS)
    with transaction.atomic():
        lock_user(user)
        blocked = Block.objects.in_force().filter(user=user, track=track).first()
        if blocked is not None and (blocked.until is None or blocked.until > until):
            return blocked
        return block(user=user, target=track, until=until)


@invalidates_feed
@transaction.atomic
def unblock(*, user: User, target: Track | Artist | Genre) -> bool:
    """Delete a block; return whether there was one."""
    deleted, _per_model = Block.objects.filter(user=user, **_named(target)).delete()
    return deleted > 0


@invalidates_feed
@transaction.atomic
def adjust(*, user: User, target: PreferenceTarget, level: str) -> float:
    """Set how much ``target`` counts in the listener's taste, to one of the keys of ``LEVELS``.

    Return the factor. Raise ``ValueError`` for another level or an unknown feature.
    """
    if level not in LEVELS:
        raise ValueError(f"level: {level!r} is none of {', '.join(LEVELS)}")
    if isinstance(target, str) and target not in FEATURES:
        raise ValueError(f"feature: {target!r} is unknown")
    column: dict[str, Any] = {"feature": target} if isinstance(target, str) else _named(target)
    factor = LEVELS[level]
    if level == "normal":
        TasteAdjustment.objects.filter(user=user, **column).delete()
    else:
        TasteAdjustment.objects.update_or_create(user=user, **column, defaults={"factor": factor})
    return factor


@invalidates_feed
@transaction.atomic
def exclude(*, user: User, target: Track | Artist) -> TasteExclusion:
    """Exclude the listener's feedback on a song, or on all songs of an artist, from the taste."""
    row, _created = TasteExclusion.objects.get_or_create(user=user, **_named(target))
    return row


@invalidates_feed
@transaction.atomic
def exclude_period(*, user: User, since: datetime, until: datetime) -> TasteExclusion:
    """Exclude the listener's feedback from ``since`` until before ``until``. Raise ``PeriodError``."""
    if since >= until:
        raise PeriodError("until: must be after since")
    return TasteExclusion.objects.create(user=user, since=since, until=until)


@transaction.atomic
def remove_exclusion(*, exclusion: TasteExclusion) -> None:
    """Delete an exclusion, so that its feedback counts again."""
    exclusion.delete()
    invalidate_feed(exclusion.user_id)


@invalidates_feed
@transaction.atomic
def start_private_session(*, user: User) -> None:
    """Start a private session: until it ends, no feedback counts in the taste."""
    User.objects.filter(pk=user.pk, private_since__isnull=True).update(private_since=timezone.now())
    user.refresh_from_db(fields=["private_since"])


@invalidates_feed
@transaction.atomic
def end_private_session(*, user: User) -> TasteExclusion | None:
    """End the private session; its time stays excluded, and can be made to count on the page of the taste."""
    since = User.objects.select_for_update().filter(pk=user.pk).values_list("private_since", flat=True).first()
    User.objects.filter(pk=user.pk).update(private_since=None)
    user.private_since = None
    if since is None:
        return None
    span = _span_of_plays(user, since, timezone.now())
    if span is None:
        return None
    return TasteExclusion.objects.create(user=user, since=span[0], until=span[1], is_private_session=True)


def _span_of_plays(user: User, since: datetime, now: datetime) -> tuple[datetime, datetime] | None:
    """Return the time of a private session; what was played in it while the clock ran ahead lies in it, too."""
    if since < now:
        return since, now
    theirs = User.objects.filter(pk=user.pk, plays__played_at__gte=since)
    latest: datetime | None = theirs.aggregate(latest=Max("plays__played_at"))["latest"]
    return None if latest is None else (since, latest + timedelta(seconds=1))


def move_preferences(duplicate: Track, keep: Track) -> None:
    """Move what listeners said of ``duplicate`` to ``keep``; of two rows of one listener that of ``keep`` stays."""
    for model in (Block, TasteExclusion):
        _move_rows(model._default_manager, duplicate, keep)


@transaction.atomic
def move_artist_preferences(duplicate: Artist, keep: Artist) -> None:
    """Move what listeners said of an artist; of two rows of one listener that of ``keep`` stays."""
    for model in (ArtistPreference, Block, TasteAdjustment, TasteExclusion):
        _move_rows(model._default_manager, duplicate, keep)


def _move_rows(manager: Any, duplicate: Track | Artist, keep: Track | Artist) -> None:
    ids = sorted(manager.filter(**_named(keep)).values_list("user_id", flat=True))
    for start in range(0, len(ids), 500):
        manager.filter(**_named(duplicate), user_id__in=ids[start : start + 500]).delete()
    manager.filter(**_named(duplicate)).update(**_named(keep))


def _named(target: Track | Artist | Genre) -> dict[str, Any]:
    """Return ``target`` by the name of its column."""
    return {str(target._meta.model_name): target}


@transaction.atomic
def set_preferences(*, user: User, genres: Collection[Genre], artists: Collection[Artist]) -> None:
    """Make ``genres`` and ``artists`` the listener's stated preferences, in place of the earlier ones."""
    set_genres(user=user, genres=genres)
    set_artists(user=user, artists=artists)


@invalidates_feed
@transaction.atomic
def set_genres(*, user: User, genres: Collection[Genre]) -> None:
    """Make ``genres`` the ones the listener prefers, in place of the earlier ones."""
    GenrePreference.objects.filter(user=user).exclude(genre__in=genres).delete()
    GenrePreference.objects.bulk_create(
        [GenrePreference(user=user, genre=genre) for genre in genres], ignore_conflicts=True
    )


@invalidates_feed
@transaction.atomic
def set_artists(*, user: User, artists: Collection[Artist]) -> None:
    """Make ``artists`` the ones the listener prefers, in place of the earlier ones."""
    ArtistPreference.objects.filter(user=user).exclude(artist__in=artists).delete()
    ArtistPreference.objects.bulk_create(
        [ArtistPreference(user=user, artist=artist) for artist in artists], ignore_conflicts=True
    )


@invalidates_feed
@transaction.atomic
def like_artist(*, user: User, artist: Artist, is_liked: bool) -> None:
    """Add an artist to those the listener prefers, or take one from them; the others stay."""
    if is_liked:
        ArtistPreference.objects.get_or_create(user=user, artist=artist)
    else:
        ArtistPreference.objects.filter(user=user, artist=artist).delete()
