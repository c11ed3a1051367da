"""Impressions of a listener that got no reaction, as the engine's arrays."""

from datetime import datetime, timedelta

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from accounts.fast.int_tables import read_int_table
from accounts.fast.unix_seconds import UnixSeconds
from accounts.models import User
from recommender.engine import Catalogue, Feedback, Impressions
from recommender.models import WEEKLY, Recommendation

# Number of latest rows that are read: about fifty pages.
MAX_ROWS = 1200
WINDOW_DAYS = 180
# Pages of the same hour are one visit: a reload after a click does not mean that everything was ignored again.
VISIT_SECONDS = 3600
_SECONDS_PER_DAY = 86_400.0


def load_impressions(user: User, catalogue: Catalogue, feedback: Feedback, now: datetime | None = None) -> Impressions:
    """Return the songs shown to ``user`` without a rating or play, with the number of visits that showed them.

    One query. ``feedback`` is the listener's, as rows of ``catalogue``. Songs of weekly lists are none of them: not to
    hear all of a list is no dislike.
    """
    now = now or timezone.now()
    recent = Recommendation.objects.filter(user=user, is_shown=True, created_at__gte=now - timedelta(days=WINDOW_DAYS))
    recent = recent.exclude(section=WEEKLY)
    seen = read_int_table(recent.order_by("-created_at")[:MAX_ROWS], "track_id", UnixSeconds("created_at"))
    return impressions_of(seen, catalogue, feedback, now.timestamp())


def impressions_of(seen: NDArray[np.int64], catalogue: Catalogue, feedback: Feedback, at: float) -> Impressions:
    """Return the songs of ``seen`` without a rating or play, with the number of visits that showed them.

    seen: int64[s, 2], ids of songs and when they were shown; ``at``: now. Both in seconds since 1970.
    """
    rows = catalogue.rows_of(seen[:, 0])
    answered = np.zeros(catalogue.n_tracks, dtype=np.bool_)
    answered[feedback.rows] = True
    ignored = (rows >= 0) & ~answered[rows]
    rows, shown_at = rows[ignored], seen[ignored, 1]
    # Row and visit in one number, because sorting by two columns takes ten times as long.
    visits = np.unique((rows.astype(np.int64) << 32) + shown_at // VISIT_SECONDS)
    distinct, times = np.unique(visits >> 32, return_counts=True)
    last = np.zeros(len(distinct))
    np.maximum.at(last, np.searchsorted(distinct, rows), shown_at)
    days = np.maximum(0.0, (at - last) / _SECONDS_PER_DAY)
    return Impressions(distinct.astype(np.int32), times.astype(np.int32), days.astype(np.float32))
