"""What was shown to a listener and never got a reaction, as the engine's arrays."""

from datetime import datetime, timedelta

import numpy as np
from django.utils import timezone

from accounts.models import User
from feedback.epoch import Epoch
from feedback.tables import whole_numbers
from recommender.engine import Catalogue, Feedback
from recommender.engine.freshness import Shown
from recommender.models import Recommendation

# So many of the latest rows are looked at: fifty pages.
MAX_ROWS = 1200
WINDOW_DAYS = 180
# Pages of the same hour are one visit: looking again after a click is not ignoring everything once more.
VISIT_SECONDS = 3600
_SECONDS_PER_DAY = 86_400.0


def load_shown(user: User, catalogue: Catalogue, feedback: Feedback, now: datetime | None = None) -> Shown:
    """Return the songs shown to ``user`` without a rating or play, with the number of visits that showed them.

    One query. ``feedback`` is the listener's, as rows of ``catalogue``.
    """
    now = now or timezone.now()
    recent = Recommendation.objects.filter(user=user, is_shown=True, created_at__gte=now - timedelta(days=WINDOW_DAYS))
    seen = whole_numbers(recent.order_by("-created_at")[:MAX_ROWS], "track_id", Epoch("created_at"))
    rows = catalogue.rows_of(seen[:, 0])
    answered = np.zeros(catalogue.n_tracks, dtype=np.bool_)
    answered[feedback.rows] = True
    ignored = (rows >= 0) & ~answered[rows]
    rows, at = rows[ignored], seen[ignored, 1]
    # One number for row and visit: a sort by two columns takes ten times as long.
    visits = np.unique((rows.astype(np.int64) << 32) + at // VISIT_SECONDS)
    distinct, times = np.unique(visits >> 32, return_counts=True)
    last = np.zeros(len(distinct))
    np.maximum.at(last, np.searchsorted(distinct, rows), at)
    days = np.maximum(0.0, (now.timestamp() - last) / _SECONDS_PER_DAY)
    return Shown(distinct.astype(np.int32), times.astype(np.int32), days.astype(np.float32))
