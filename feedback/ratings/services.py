"""Writes of likes and dislikes."""

from django.db import connection, transaction

from accounts.locks import lock_user
from accounts.models import User
from catalog.models import Track
from feedback.hidden import refuse_hidden
from feedback.ratings.models import Rating
from feedback.source import Source
from feedback.web.feed_cache import invalidates_feed


@invalidates_feed
@transaction.atomic
def rate(*, user: User, track: Track, value: int | None, source: str = Source.SITE) -> None:
    """Set the listener's rating of a song: ``Rating.Value.LIKE``, ``DISLIKE`` or, to clear it, None.

    Concurrent writes leave one row per listener and song; the last one wins. Raises
    ``HiddenTrackError``, and ``ValueError`` for any other value.
    """
    refuse_hidden(track)
    # A listener's clicks wait for each other, because on MariaDB a concurrent like and undo would deadlock.
    lock_user(user)
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
