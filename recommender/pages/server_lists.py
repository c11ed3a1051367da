"""For you as a playlist on a music server: recommended among the songs that the server has."""

from accounts.models import User
from catalog.models import MusicServer, ServerSong
from recommender.pages.feed import recommend_feed

SONGS = 50


def for_you_ids(user: User, server: MusicServer) -> list[int]:
    """Return the ids of the songs to put there; none before the first training.

    They are not recorded as shown, because the listener need not look at them.
    """
    songs = ServerSong.objects.filter(server=server, gone_at=None).order_by().values_list("track_id", flat=True)
    feed = recommend_feed(user=user, k=SONGS, is_recorded=False, only_ids=set(songs))
    return [] if feed is None else [item.track.pk for item in feed.items]
