"""Writes of the play queue. Each locks the listener's queue, so that two devices never move it at once.

Positions are unique in the database, and SQLite and MariaDB check an UPDATE row by row, so items that change places are
first moved far beyond the end and then to their new positions.
"""

import random
from collections.abc import Sequence

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.locks import lock_user
from accounts.models import User
from catalog.models import Track
from feedback.queue.models import PlayQueue, QueueItem
from feedback.queue.selectors import current_item, items_ahead, items_behind

MAX_SONGS = 500
LONGEST_MS = 24 * 3600 * 1000
# Played songs that "previous" can go back to.
KEPT_BEHIND = 50
_BEYOND = 1_000_000_000
_random = random.SystemRandom()


class QueueFullError(Exception):
    """The queue would hold more than ``MAX_SONGS`` upcoming songs."""


@transaction.atomic
def play_all(
    *, user: User, tracks: Sequence[Track], origin: str = "", origin_url: str = "", first: Track | None = None
) -> PlayQueue:
    """Put ``tracks`` (at most ``MAX_SONGS`` of them) in place of the queue and start with ``first``, else at the top.

    A queue that is shuffled stays so; without ``first`` it then starts anywhere.
    """
    queue = _locked(user)
    songs = list(tracks[:MAX_SONGS])
    start = next((index for index, track in enumerate(songs) if first is not None and track.pk == first.pk), None)
    order = list(range(len(songs)))
    if queue.is_shuffled:
        _random.shuffle(order)
        if start is not None:
            order.remove(start)
            order.insert(0, start)
        start = 0
    QueueItem.objects.filter(queue=queue).delete()
    QueueItem.objects.bulk_create(
        QueueItem(queue=queue, track=songs[index], position=position, original_position=index)
        for position, index in enumerate(order)
    )
    queue.origin, queue.origin_url = origin[:200], origin_url[:300]
    _move_to(queue, (start or 0) if songs else None)
    return queue


@transaction.atomic
def play_now(*, user: User, track: Track) -> PlayQueue:
    """Play a song at once; what was to come follows it."""
    queue = _locked(user)
    item = _insert(queue, [track], is_next=True)[0]
    _move_to(queue, item.position)
    return queue


@transaction.atomic
def add(*, user: User, tracks: Sequence[Track], is_next: bool = False) -> PlayQueue:
    """Add songs: right after the one that plays, or behind all that the listener chose. Raise ``QueueFullError``."""
    queue = _locked(user)
    if items_ahead(queue).count() + len(tracks) > MAX_SONGS:
        raise QueueFullError(f"the queue holds up to {MAX_SONGS} songs")
    _insert(queue, tracks, is_next=is_next)
    return queue


@transaction.atomic
def add_radio(*, user: User, tracks: Sequence[Track]) -> PlayQueue:
    """Let recommended songs follow, unless another device has already found something to go on with."""
    queue = _locked(user)
    if not items_ahead(queue).exists():
        _insert(queue, tracks, is_radio=True)
    return queue


@transaction.atomic
def remove(*, user: User, item_id: int) -> bool:
    """Take an item out; tell whether it was there. Taking out the one that plays leaves the place in the queue."""
    queue = _locked(user)
    removed, _tables = QueueItem.objects.filter(queue=queue, pk=item_id).delete()
    _touch(queue)
    return removed > 0


@transaction.atomic
def clear(*, user: User) -> PlayQueue:
    """Take out everything that is yet to come."""
    queue = _locked(user)
    QueueItem.objects.filter(pk__in=[item.pk for item in items_ahead(queue)]).delete()
    _touch(queue)
    return queue


@transaction.atomic
def move(*, user: User, item_id: int, index: int) -> bool:
    """Let an item that is yet to come be the ``index``-th of these (from 0); tell whether it is there.

    Counted as the listener sees them, without songs that the operator hides; beyond the end means the end.
    """
    queue = _locked(user)
    items = list(QueueItem.objects.filter(queue=queue).order_by("position"))
    behind = [item for item in items if not _is_ahead(queue, item)]
    ahead = [item for item in items if _is_ahead(queue, item)]
    shown = set(items_ahead(queue).values_list("pk", flat=True))
    moved = next((item for item in ahead if item.pk == item_id and item.pk in shown), None)
    if moved is None:
        return False
    ahead.remove(moved)
    numbers = [number for number, item in enumerate(ahead) if item.pk in shown]
    ahead.insert(numbers[index] if index < len(numbers) else len(ahead), moved)
    _write_order(queue, behind, ahead)
    return True


@transaction.atomic
def jump(*, user: User, item_id: int) -> bool:
    """Go to an item of the queue; tell whether it is there."""
    queue = _locked(user)
    item = QueueItem.objects.filter(queue=queue, pk=item_id, track__is_active=True).first()
    if item is not None:
        _move_to(queue, item.position)
    return item is not None


@transaction.atomic
def go_next(*, user: User, after: int | None = None) -> QueueItem | None:
    """Go to the next song and return its item; None, and no move, at the end.

    ``after`` is the item that the caller was playing: where another device has moved on meanwhile, its place holds.
    """
    queue = _locked(user)
    current = current_item(queue)
    if after is not None and current is not None and current.pk != after:
        return current
    following = items_ahead(queue).first()
    if following is not None:
        _move_to(queue, following.position)
    return following


@transaction.atomic
def go_previous(*, user: User) -> QueueItem | None:
    """Go back one song and return its item; None, and no move, at the beginning."""
    queue = _locked(user)
    earlier = items_behind(queue).first()
    if earlier is not None:
        _move_to(queue, earlier.position)
    return earlier


@transaction.atomic
def set_shuffle(*, user: User, is_on: bool) -> PlayQueue:
    """Shuffle what the listener chose and is yet to come; off, the queue goes on from this song in its first order."""
    queue = _locked(user)
    if queue.is_shuffled == is_on:
        return queue
    queue.is_shuffled = is_on
    items = list(QueueItem.objects.filter(queue=queue).order_by("position"))
    behind = [item for item in items if not _is_ahead(queue, item)]
    ahead = [item for item in items if _is_ahead(queue, item)]
    if is_on:
        chosen = [item for item in ahead if not item.is_radio]
        _random.shuffle(chosen)
        ahead = [*chosen, *(item for item in ahead if item.is_radio)]
    else:
        items.sort(key=lambda item: (item.is_radio, item.original_position))
        is_there = behind and behind[-1].position == queue.position
        split = items.index(behind[-1]) + 1 if is_there else len(behind)
        behind, ahead = items[:split], items[split:]
    _write_order(queue, behind, ahead)
    return queue


@transaction.atomic
def set_playing(*, user: User, is_playing: bool, song_ms: int | None = None, device: str | None = None) -> PlayQueue:
    """Note that the player plays or is paused at ``song_ms`` of the song, on ``device``.

    Without a position it is where the player has come to by now, at most the song's end where that is known. Without a
    device it stays the one it was on.
    """
    queue = _locked(user)
    current = current_item(queue)
    longest = (current and current.track.duration_ms) or LONGEST_MS
    now = timezone.now()
    if song_ms is None and queue.is_playing and queue.song_ms_at is not None:
        song_ms = queue.song_ms + int((now - queue.song_ms_at).total_seconds() * 1000)
    if song_ms is not None:
        queue.song_ms = min(max(0, song_ms), longest)
    queue.song_ms_at, queue.is_playing = now, is_playing
    if device is not None:
        queue.device = device
    _touch(queue)
    return queue


def take_over(*, user: User, device: str) -> None:
    """Note that what plays now plays on ``device``."""
    PlayQueue.objects.filter(user=user).exclude(device=device).update(device=device, updated_at=timezone.now())


def move_queue_items(duplicate: Track, keep: Track) -> None:
    """Let ``keep`` stand where ``duplicate`` stood. Called by :func:`catalog.duplicates.merging.merge_tracks`."""
    QueueItem.objects.filter(track=duplicate).update(track=keep)


def _locked(user: User) -> PlayQueue:
    lock_user(user)
    return PlayQueue.objects.get_or_create(user=user)[0]


def _insert(
    queue: PlayQueue, tracks: Sequence[Track], *, is_next: bool = False, is_radio: bool = False
) -> list[QueueItem]:
    """Insert songs and return their items: after the current one, or before recommended ones that are yet to come."""
    _trim(queue)
    items = list(QueueItem.objects.filter(queue=queue).order_by("position"))
    behind = [item for item in items if not _is_ahead(queue, item)]
    ahead = [item for item in items if _is_ahead(queue, item)]
    chosen = 0 if is_next else sum(not item.is_radio for item in ahead)
    if is_radio:
        chosen = len(ahead)
    original = max((item.original_position for item in items), default=-1) + 1
    end = max((item.position for item in items), default=-1) + 1
    end = max(end, 0 if queue.position is None else queue.position + 1)
    new = [
        QueueItem(
            queue=queue, track=track, position=end + number, original_position=original + number, is_radio=is_radio
        )
        for number, track in enumerate(tracks)
    ]
    QueueItem.objects.bulk_create(new)
    if chosen < len(ahead):
        # In the order of their ids, which not every database returns from an insert.
        new = list(QueueItem.objects.filter(queue=queue, position__gte=end).order_by("position"))
        _write_order(queue, behind, [*ahead[:chosen], *new, *ahead[chosen:]])
    _touch(queue)
    return new


def _is_ahead(queue: PlayQueue, item: QueueItem) -> bool:
    return queue.position is None or item.position > queue.position


def _trim(queue: PlayQueue) -> None:
    """Forget played songs beyond those that "previous" goes back to."""
    behind = QueueItem.objects.filter(queue=queue, position__lt=queue.position or 0).order_by("-position")
    old = list(behind.values_list("pk", flat=True)[KEPT_BEHIND:])
    if old:
        QueueItem.objects.filter(pk__in=old).delete()


def _write_order(queue: PlayQueue, behind: Sequence[QueueItem], ahead: Sequence[QueueItem]) -> None:
    """Number all items anew: those up to the one that plays, and those that are to come.

    Where the one that plays was taken out, its number stays free. An unshuffled order is also the first one.
    """
    is_there = bool(behind) and behind[-1].position == queue.position
    gap = int(queue.position is not None and not is_there)
    numbered = [*enumerate(behind), *enumerate(ahead, start=len(behind) + gap)]
    for position, item in numbered:
        item.position = position
        if not queue.is_shuffled:
            item.original_position = position
    QueueItem.objects.filter(queue=queue).update(position=F("position") + _BEYOND)
    QueueItem.objects.bulk_update(
        [item for _position, item in numbered], ["position", "original_position"], batch_size=100
    )
    if queue.position is not None:
        queue.position = len(behind) - 1 + gap
    _touch(queue)


def _move_to(queue: PlayQueue, position: int | None) -> None:
    queue.position = position
    queue.is_playing, queue.song_ms, queue.song_ms_at = position is not None, 0, timezone.now()
    _touch(queue)


def _touch(queue: PlayQueue) -> None:
    queue.updated_at = timezone.now()
    queue.save()
