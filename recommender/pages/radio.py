"""What plays when the queue has ended: recommended songs, one page after another."""

from accounts.models import User
from catalog.models import Track
from feedback.queue.models import PlayQueue, QueueItem
from feedback.queue.services import add_radio, go_next
from recommender.pages.feed import recommend_feed
from recommender.pages.popular import popular_tracks

RADIO_SIZE = 10
_POPULAR = 50


def next_song(*, user: User, after: int | None = None) -> QueueItem | None:
    """Go to the next song of the listener's queue and return its item; at the end, on to recommended songs.

    ``after`` as in :func:`feedback.queue.services.go_next`. None only where there is no song left to recommend.
    """
    item = go_next(user=user, after=after)
    if item is not None:
        return item
    tracks = _recommended(user)
    if not tracks:
        return None
    add_radio(user=user, tracks=tracks)
    return go_next(user=user, after=after)


def _recommended(user: User) -> list[Track]:
    """Return songs that the queue does not hold yet; before the first retrain popular ones."""
    queue = PlayQueue.objects.filter(user=user).first()
    held = set(QueueItem.objects.filter(queue=queue).values_list("track_id", flat=True)) if queue else set()
    feed = recommend_feed(user=user, k=RADIO_SIZE + min(len(held), 2 * RADIO_SIZE))
    tracks = popular_tracks(limit=_POPULAR, user=user) if feed is None else [item.track for item in feed.items]
    fresh = [track for track in tracks if track.pk not in held]
    # A small catalogue goes round again.
    return (fresh or tracks)[:RADIO_SIZE]
