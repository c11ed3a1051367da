"""Answers to recommended songs that were heard, and how the songs of weekly lists went."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from numpy.typing import NDArray

from feedback.plays.models import Play
from feedback.ratings.models import Rating
from recommender.adapters.logged_pages import ANSWER_DAYS, JUDGED_SECTIONS
from recommender.models import WEEKLY, Recommendation, WeeklySong

LOG_DAYS = 180
MAX_ANSWERS = 50_000


@dataclass(frozen=True, eq=False)
class HeardSongs:
    """m answers: listener int64[m], score float64[m], is_yes bool[m] (liked or finished, and not disliked)."""

    listener: NDArray[np.int64]
    score: NDArray[np.float64]
    is_yes: NDArray[np.bool_]


@dataclass(frozen=True)
class ListResult:
    """How a weekly list went: songs heard, how many of these were expected to be liked or finished, how many were."""

    heard: int = 0
    expected: float = 0.0
    succeeded: int = 0


def heard_songs(now: datetime) -> HeardSongs:
    """Return the newest answers to songs that were recommended in the last ``LOG_DAYS``; one query.

    An answer is a like, a dislike, a skip or a play to the end within ``ANSWER_DAYS``. Operators look at their own
    work, so theirs are left out. A song that was recommended several times counts once, with its newest score.
    """
    rows = Recommendation.objects.filter(
        created_at__gte=now - timedelta(days=LOG_DAYS),
        is_shown=True,
        section__in=(*JUDGED_SECTIONS, WEEKLY),
        user__is_staff=False,
    )
    answered = _answered(rows.annotate(answer_from=F("created_at"))).filter(is_heard=True).order_by("-pk")
    newest: dict[tuple[int, int], tuple[float, bool]] = {}
    columns = answered.values_list("user_id", "track_id", "score", "is_yes")[:MAX_ANSWERS]
    for user_id, track_id, score, is_yes in columns:
        newest.setdefault((user_id, track_id), (score, bool(is_yes)))
    return HeardSongs(
        np.array([user_id for user_id, _track_id in newest], dtype=np.int64),
        np.array([score for score, _is_yes in newest.values()], dtype=np.float64),
        np.array([is_yes for _score, is_yes in newest.values()], dtype=np.bool_),
    )


def results_of(list_ids: Collection[int]) -> dict[int, ListResult]:
    """Return how these weekly lists have gone so far, in ``ANSWER_DAYS`` at most; one query, however many there are.

    A song that went with its plays was not heard.
    """
    songs = WeeklySong.objects.filter(weekly_list__in=list_ids, track__isnull=False).order_by()
    rows = _answered(
        songs.annotate(answer_from=F("weekly_list__created_at"), user_id=F("weekly_list__user_id"))
    ).filter(is_heard=True)
    results: dict[int, ListResult] = {}
    for list_id, probability, is_yes in rows.values_list("weekly_list_id", "probability", "is_yes"):
        before = results.get(list_id, ListResult())
        results[list_id] = ListResult(before.heard + 1, before.expected + probability, before.succeeded + bool(is_yes))
    return results


def _answered(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return rows (``user_id``, ``track_id``, ``answer_from``) with ``is_heard`` and ``is_yes``."""
    rows = rows.annotate(answer_until=F("answer_from") + timedelta(days=ANSWER_DAYS))
    likes, dislikes = _rated(Rating.Value.LIKE), _rated(Rating.Value.DISLIKE)
    finished, skipped = _played(Play.Outcome.COMPLETED), _played(Play.Outcome.SKIPPED)
    answered: QuerySet[Any] = rows.annotate(
        is_heard=likes | dislikes | finished | skipped, is_yes=(likes | finished) & ~Q(dislikes)
    )
    return answered


def _rated(value: Rating.Value) -> Q:
    return Q(Exists(Rating.objects.filter(value=value, **_same_song("updated_at"))))


def _played(outcome: Play.Outcome) -> Q:
    return Q(Exists(Play.objects.filter(outcome=outcome, **_same_song("played_at"))))


def _same_song(time_column: str) -> dict[str, OuterRef]:
    return {
        "user_id": OuterRef("user_id"),
        "track_id": OuterRef("track_id"),
        f"{time_column}__gte": OuterRef("answer_from"),
        f"{time_column}__lt": OuterRef("answer_until"),
    }
