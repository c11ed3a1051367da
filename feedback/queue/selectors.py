"""Reads of the play queue."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from accounts.models import User
from catalog.models import Track
from feedback.queue.models import PlayQueue, QueueItem


@dataclass(frozen=True)
class QueueState:
    """A listener's queue as the player shows it; ``current`` is None before the first song and when it is gone."""

    current: QueueItem | None
    is_shuffled: bool
    origin: str
    origin_url: str
    has_previous: bool
    ahead: int
    is_playing: bool = False
    song_ms: int = 0
    song_ms_at: datetime | None = None
    device: str = ""

    @property
    def position_ms(self) -> int:
        """Return where in the song the player has come to by now."""
        if not self.is_playing or self.song_ms_at is None:
            return self.song_ms
        return self.song_ms + int((timezone.now() - self.song_ms_at).total_seconds() * 1000)


def queue_state(user: User) -> QueueState:
    """Return where the listener's player is, in four queries at most."""
    queue = PlayQueue.objects.filter(user=user).first()
    if queue is None:
        return QueueState(None, False, "", "", False, 0)
    return state_of(queue)


def state_of(queue: PlayQueue) -> QueueState:
    """Return the state of a queue."""
    before = ahead = 0
    current = current_item(queue)
    for position in shown_items(queue).values_list("position", flat=True):
        before += queue.position is not None and position < queue.position
        ahead += queue.position is None or position > queue.position
    return QueueState(
        current=current,
        is_shuffled=queue.is_shuffled,
        origin=queue.origin,
        origin_url=queue.origin_url,
        has_previous=before > 0,
        ahead=ahead,
        is_playing=queue.is_playing and current is not None,
        song_ms=queue.song_ms,
        song_ms_at=queue.song_ms_at,
        device=queue.device,
    )


def queue_version(user: User) -> str:
    """Return a text that differs after every change of the listener's queue, in one query."""
    row = PlayQueue.objects.filter(user=user).values_list("pk", "updated_at").first()
    return f"{row[0]}-{row[1].timestamp():.6f}" if row else "none"


def current_item(queue: PlayQueue) -> QueueItem | None:
    """Return the item that plays, with its song."""
    if queue.position is None:
        return None
    return shown_items(queue).filter(position=queue.position).first()


def items_ahead(queue: PlayQueue) -> QuerySet[QueueItem]:
    """Return what comes after the song that plays, in order."""
    items = shown_items(queue)
    return items if queue.position is None else items.filter(position__gt=queue.position)


def items_behind(queue: PlayQueue) -> QuerySet[QueueItem]:
    """Return what came before the song that plays, the last first."""
    return shown_items(queue).filter(position__lt=queue.position or 0).order_by("-position")


def items_for_list(items: QuerySet[QueueItem]) -> QuerySet[QueueItem]:
    """Return ``items`` with all that a list row shows."""
    return items.select_related(None).prefetch_related(Prefetch("track", Track.objects.for_list()))


def shown_items(queue: PlayQueue) -> QuerySet[QueueItem]:
    """Return the queue's items whose songs the operator shows, with the songs, in order."""
    items = QueueItem.objects.filter(queue=queue, track__is_active=True)
    return items.select_related("track").order_by("position")
