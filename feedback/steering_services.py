"""Writes of how the listener steers what is recommended: blocks, adjustments, what does not count, private sessions."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from django.db import transaction
from django.utils import timezone

from accounts.locks import wait_for_other_changes
from accounts.models import User
from catalog.features import FEATURES
from catalog.models import Artist, Genre, Track
from feedback.steering_models import Block, TasteAdjustment, TasteExclusion

Line: TypeAlias = Artist | Genre | str
"""A line of the taste: an artist, a genre, or the name of an audio feature."""
REST_DAYS = 30
LEVELS = {"off": 0.0, "down": 0.5, "normal": 1.0, "up": 2.0}


class PeriodError(ValueError):
    """A period ends before it begins."""


@transaction.atomic
def block(*, user: User, target: Track | Artist | Genre, until: datetime | None = None) -> Block:
    """Recommend nothing of ``target`` to the listener, for good or until a time; an earlier block is replaced.

    Raises ``PeriodError`` when ``until`` has passed.
    """
    if until is not None and until <= timezone.now():
        raise PeriodError("until: lies in the past")
    row, _created = Block.objects.update_or_create(
        user=user, **_named(target), defaults={"until": until, "created_at": timezone.now()}
    )
    return row


def rest(*, user: User, track: Track) -> Block:
    """Leave a song out for ``REST_DAYS`` ("not now"); one that is blocked for longer stays blocked."""
    until = timezone.now() + timedelta(days=REST_DAYS)
    with transaction.atomic():
        wait_for_other_changes(user)
        blocked = Block.objects.in_force().filter(user=user, track=track).first()
        if blocked is not None and (blocked.until is None or blocked.until > until):
            return blocked
        return block(user=user, target=track, until=until)


@transaction.atomic
def unblock(*, user: User, target: Track | Artist | Genre) -> bool:
    """Take a block back; return whether there was one."""
    deleted, _per_model = Block.objects.filter(user=user, **_named(target)).delete()
    return deleted > 0


@transaction.atomic
def adjust(*, user: User, line: Line, level: str) -> float:
    """Turn a line of the listener's taste up, down or off, or back to normal (the keys of ``LEVELS``).

    Returns the factor. Raises ``ValueError`` for another level or an unknown feature.
    """
    if level not in LEVELS:
        raise ValueError(f"level: {level!r} is none of {', '.join(LEVELS)}")
    if isinstance(line, str) and line not in FEATURES:
        raise ValueError(f"feature: {line!r} is unknown")
    column: dict[str, Any] = {"feature": line} if isinstance(line, str) else _named(line)
    factor = LEVELS[level]
    if level == "normal":
        TasteAdjustment.objects.filter(user=user, **column).delete()
    else:
        TasteAdjustment.objects.update_or_create(user=user, **column, defaults={"factor": factor})
    return factor


@transaction.atomic
def exclude(*, user: User, target: Track | Artist) -> TasteExclusion:
    """Let what the listener did with a song, or with all songs of an artist, not count in the taste."""
    row, _created = TasteExclusion.objects.get_or_create(user=user, **_named(target))
    return row


@transaction.atomic
def exclude_period(*, user: User, since: datetime, until: datetime) -> TasteExclusion:
    """Let what the listener did from ``since`` until before ``until`` not count. Raises ``PeriodError``."""
    if since >= until:
        raise PeriodError("until: lies before the beginning")
    return TasteExclusion.objects.create(user=user, since=since, until=until)


@transaction.atomic
def count_again(*, exclusion: TasteExclusion) -> None:
    """Let what was excluded count again."""
    exclusion.delete()


@transaction.atomic
def start_private_session(*, user: User) -> None:
    """From now on nothing the listener does counts in the taste, until ``end_private_session``."""
    User.objects.filter(pk=user.pk, private_since__isnull=True).update(private_since=timezone.now())
    user.refresh_from_db(fields=["private_since"])


@transaction.atomic
def end_private_session(*, user: User) -> TasteExclusion | None:
    """End the private session; its time stays excluded, and can be made to count on the page of the taste."""
    locked = User.objects.select_for_update().get(pk=user.pk)
    since = locked.private_since
    User.objects.filter(pk=user.pk).update(private_since=None)
    user.private_since = None
    now = timezone.now()
    if since is None or since >= now:
        return None
    return TasteExclusion.objects.create(user=user, since=since, until=now, is_private_session=True)


def move_steering(duplicate: Track, keep: Track) -> None:
    """Move what listeners said of ``duplicate`` to ``keep``; of two rows of one listener that of ``keep`` stays."""
    for model in (Block, TasteExclusion):
        manager: Any = model._default_manager
        kept = list(manager.filter(track=keep).values_list("user_id", flat=True))
        _delete_of(manager, duplicate, kept)
        manager.filter(track=duplicate).update(track=keep)


def _delete_of(manager: Any, track: Track, user_ids: Collection[int]) -> None:
    ids = sorted(user_ids)
    for start in range(0, len(ids), 500):
        manager.filter(track=track, user_id__in=ids[start : start + 500]).delete()


def _named(target: Track | Artist | Genre) -> dict[str, Any]:
    """Return ``target`` by the name of its column."""
    return {str(target._meta.model_name): target}
