"""Makes the lists of a week."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from django.db import IntegrityError

from accounts.models import User
from catalog.models import Track
from jobs.races import conflict_as_integrity_error
from jobs.registry import Run
from recommender.adapters.heard_songs import heard_songs, results_of
from recommender.adapters.loaded import LoadedModel
from recommender.adapters.logged_pages import ANSWER_DAYS
from recommender.adapters.requests import request_for_listener
from recommender.engine import AnswerModel, IntArray, RecommendedPage, fit_answers, recommend
from recommender.experiments.serving import dial_of
from recommender.experiments.settings import AS_DELIVERED, ArmSetting
from recommender.models import WEEKLY, WeeklyList, WeeklySong
from recommender.pages.explanations.recorded import stored_reason
from recommender.pages.impressions import Impression, write_impressions
from recommender.pages.shown import shown_page
from recommender.weekly.dates import DueWeek
from recommender.weekly.selectors import due_listeners, earlier_songs

logger = logging.getLogger(__name__)
LIST_SIZE = 30
LEAST_SONGS = 10
"""A shorter list is not made."""
BATCH = 20
"""Listeners whose earlier songs are read at a time, so that memory does not grow with the listeners."""
_CLOSED_AT_ONCE = 200


def expected_answers(now: datetime) -> AnswerModel:
    """Return how probable a like or a play to the end is, learned from the site's log if it has enough answers."""
    log = heard_songs(now)
    return fit_answers(log.listener, log.score, log.is_yes)


def make_lists(week: DueWeek, loaded: LoadedModel, now: datetime, run: Run, setting: ArmSetting = AS_DELIVERED) -> int:
    """Make the lists of everybody who has none yet; return how many. Run again, it goes on where it ended.

    ``setting``: the site's own, from adopted experiments; its numbers are in ``loaded`` already.

    ``run`` is told the progress and may end the work between two listeners.
    """
    due = due_listeners(week.monday, now)
    total = due.count()
    if not total:
        return 0
    answers = expected_answers(now)
    made = done = last = 0
    while users := list(due.filter(pk__gt=last)[:BATCH]):
        earlier = earlier_songs(user.pk for user in users)
        for user in users:
            dial = dial_of(user, setting)
            made += make_list(user, week, loaded, answers, earlier.get(user.pk, ()), dial) is not None
            done += 1
            run.report(f"{made} lists made", min(done / total, 1.0))
        last = users[-1].pk
    return made


def make_list(
    user: User,
    week: DueWeek,
    loaded: LoadedModel,
    answers: AnswerModel,
    earlier_ids: Sequence[int] = (),
    dial: float | None = None,
) -> WeeklyList | None:
    """Make one listener's list of songs that none of their ``earlier_ids`` are; ``None`` if they have one, or too few
    songs are left. ``dial`` (0..1) stands in for their own.
    """
    listener = request_for_listener(user, loaded, k=LIST_SIZE, adventure=dial, exclude_ids=earlier_ids)
    rng = np.random.default_rng()

    def ask(gone: IntArray) -> RecommendedPage:
        return recommend(loaded.model, listener.feedback, listener.request.without(gone), rng)

    page, tracks = shown_page(loaded.model, ask)
    if len(page.items) < LEAST_SONGS:
        return None
    scores = np.array([item.score for item in page.items])
    impressions = [
        Impression(item, page.policy, stored_reason(item, loaded, listener.known, WEEKLY), WEEKLY)
        for item in page.items
    ]
    chances = answers.probability(user.pk, scores).tolist()
    songs = [(tracks[item.track_id], chance) for item, chance in zip(page.items, chances, strict=True)]
    try:
        with conflict_as_integrity_error():
            return _write(user, week, loaded, answers, songs, impressions)
    except IntegrityError:
        # Another worker made it, or the listener or a song has just been deleted: the next night sees which.
        logger.info("no weekly list for listener %s: made or deleted meanwhile", user.pk)
        return None


def _write(
    user: User,
    week: DueWeek,
    loaded: LoadedModel,
    answers: AnswerModel,
    songs: Sequence[tuple[Track, float]],
    impressions: Sequence[Impression],
) -> WeeklyList:
    made = WeeklyList.objects.create(
        user=user,
        week=week.monday,
        day=week.day,
        expected=sum(chance for _track, chance in songs),
        basis=WeeklyList.Basis.FITTED if answers.is_fitted else WeeklyList.Basis.PRIOR,
        answers=answers.answers,
    )
    WeeklySong.objects.bulk_create(
        WeeklySong(
            weekly_list=made,
            position=position,
            track=track,
            name=track.title[:500],
            artists=track.artist_names[:500],
            probability=chance,
        )
        for position, (track, chance) in enumerate(songs)
    )
    write_impressions(made.page, user, loaded, impressions, is_shown=False)
    return made


def close_lists(now: datetime) -> int:
    """Write how the lists went whose time is over, so that it stays when plays or songs go; return how many."""
    over = WeeklyList.objects.filter(heard__isnull=True, created_at__lt=now - timedelta(days=ANSWER_DAYS))
    closed = 0
    while ids := list(over.order_by("pk").values_list("pk", flat=True)[:_CLOSED_AT_ONCE]):
        results = results_of(ids)
        heard = WeeklyList.objects.filter(pk__in=ids)
        for pk, result in results.items():
            WeeklyList.objects.filter(pk=pk).update(
                heard=result.heard, expected_of_heard=result.expected, succeeded=result.succeeded
            )
        heard.filter(heard__isnull=True).update(heard=0, expected_of_heard=0.0, succeeded=0)
        closed += len(ids)
    return closed
