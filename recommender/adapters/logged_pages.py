"""The log of recommendations, page by page, with what the listener did with each song."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Literal, TypeAlias

import numpy as np
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from numpy.typing import NDArray

from accounts.models import User
from feedback.plays.models import Play
from feedback.ratings.models import Rating
from recommender.models import Recommendation

RewardName: TypeAlias = Literal["likes", "completions"]
ANSWER_DAYS = 7
"""A like counts for the page that showed the song if it came within so many days."""
JUDGED_SECTIONS = ("", "made")
"""Pages, and the shelf, that ask for the best songs of all; the other shelves have rules of their own."""
IS_PAGE = Q(position__gt=0)
"""Tells, in the log, a page from a song put in the place of a rated one. Such a song has a record of its own, with no
second song: a policy asked for it would choose among those still on the page, too. Of a page any song may be deleted.
"""
PAGES_AT_ONCE = 200


@dataclass(frozen=True, eq=False)
class LoggedPage:
    """The songs of one page, or one shelf of it: track_ids, position int64[k]; propensity, reward float64[k].

    ``at``: when it was shown, in seconds since 1970.
    """

    user_id: int
    at: float
    track_ids: NDArray[np.int64]
    position: NDArray[np.int64]
    propensity: NDArray[np.float64]
    reward: NDArray[np.float64]


def listeners_with_pages(since: datetime, until: datetime) -> list[int]:
    """Return the ids of listeners who saw a page, without staff: operators look at their own work."""
    # One look into the index a listener: a listing of all rows takes seconds where there are millions.
    has_pages = Exists(_shown(since, until).filter(user=OuterRef("pk")).order_by())
    return list(User.objects.filter(has_pages, is_staff=False).order_by("pk").values_list("pk", flat=True))


def logged_pages(
    user_ids: Collection[int],
    since: datetime,
    until: datetime,
    *,
    reward: RewardName,
    at_most: int,
    rng: np.random.Generator,
) -> list[LoggedPage]:
    """Return up to ``at_most`` pages of these listeners, drawn at random, ordered by listener and time.

    Raises nothing for songs deleted since: they took their rows with them. One query per ``PAGES_AT_ONCE`` pages and
    one to list them.
    """
    pages = _shown(since, until).filter(user_id__in=list(user_ids)).order_by()
    keys = sorted(pages.values_list("page", flat=True).distinct())
    drawn = sorted(rng.permutation(len(keys))[:at_most])
    chosen = [keys[number] for number in drawn]
    read = [
        page
        for start in range(0, len(chosen), PAGES_AT_ONCE)
        for page in _read(chosen[start : start + PAGES_AT_ONCE], reward)
    ]
    return sorted(read, key=lambda page: (page.user_id, page.at))


def _shown(since: datetime, until: datetime) -> QuerySet[Recommendation]:
    return Recommendation.objects.filter(
        IS_PAGE, created_at__gte=since, created_at__lt=until, is_shown=True, section__in=JUDGED_SECTIONS
    )


def _read(pages: Sequence[Any], reward: RewardName) -> Iterator[LoggedPage]:
    rows = (
        with_answer_time(Recommendation.objects.filter(page__in=pages, is_shown=True, section__in=JUDGED_SECTIONS))
        .annotate(is_rewarded=_REWARDS[reward])
        .order_by("page", "section", "position")
        .values_list("page", "section", "user_id", "created_at", "track_id", "position", "propensity", "is_rewarded")
    )
    for _page, group in groupby(rows, key=lambda row: row[:2]):
        songs = list(group)
        yield LoggedPage(
            user_id=songs[0][2],
            at=min(song[3] for song in songs).timestamp(),
            track_ids=np.array([song[4] for song in songs], dtype=np.int64),
            # Positions are counted within a shelf, wherever the shelf is on the page.
            position=np.array([song[5] - songs[0][5] for song in songs], dtype=np.int64),
            propensity=np.array([song[6] for song in songs], dtype=np.float64),
            reward=np.array([float(song[7]) for song in songs], dtype=np.float64),
        )


def with_answer_time(rows: QuerySet[Recommendation]) -> QuerySet[Any]:
    """Return rows of the log with ``answer_until``, the end of the time in which a rating or play answers them."""
    return rows.annotate(answer_until=F("created_at") + timedelta(days=ANSWER_DAYS))


def rated(value: Rating.Value) -> Exists:
    """Return whether the listener rated the song so in that time, as an expression for such rows."""
    return Exists(Rating.objects.filter(value=value, **_same_song("updated_at")))


def played(outcome: Play.Outcome) -> Exists:
    """Return whether a play of the song ended so in that time, as an expression for such rows."""
    return Exists(Play.objects.filter(outcome=outcome, **_same_song("played_at")))


def _same_song(time_column: str) -> dict[str, OuterRef]:
    return {
        "user_id": OuterRef("user_id"),
        "track_id": OuterRef("track_id"),
        f"{time_column}__gte": OuterRef("created_at"),
        f"{time_column}__lt": OuterRef("answer_until"),
    }


_REWARDS: dict[RewardName, Exists] = {
    "likes": rated(Rating.Value.LIKE),
    "completions": played(Play.Outcome.COMPLETED),
}
