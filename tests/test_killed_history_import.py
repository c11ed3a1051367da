"""A worker that is killed three times in the middle of an import: the end is the same as without."""

import json
import signal
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection

from accounts.models import User
from feedback.history_import import services
from feedback.history_import.job import CHUNK_ROWS, IMPORT
from feedback.history_import.models import HistoryImport
from feedback.history_import.tests.histories import spotify
from feedback.plays.models import Play
from feedback.tests.factories import UserFactory, make_track
from jobs.models import Job
from jobs.tests.helpers import start_worker, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
PLAYS = 6 * CHUNK_ROWS
COUNTS = ("position", "plays_added", "plays_known", "plays_unmatched", "plays_skipped", "skipped", "finished_at")
ENVIRONMENT: dict[str, Any] = {"JOB_STALE_SECONDS": 1, "RETRAIN_HOURS": 0}


@pytest.fixture(scope="module")
def content() -> str:
    """Three songs that are known, two that are not, and a podcast now and then."""
    start = datetime(2020, 1, 1, tzinfo=UTC)
    records = [
        spotify(f"Song {number % 5}", ts=f"{start + timedelta(minutes=number):%Y-%m-%dT%H:%M:%SZ}")
        for number in range(PLAYS)
    ]
    for record in records[::50]:
        record |= {"master_metadata_track_name": None, "episode_name": "Talk"}
    return json.dumps(records)


@pytest.fixture(autouse=True)
def _songs() -> None:
    for number in range(3):
        make_track(f"Song {number}")


def begin(user: User, content: str) -> HistoryImport:
    upload = ContentFile(content, name="history.json")
    return services.begin_import(user=user, upload=upload, wants_own_songs=False)


def position(history: HistoryImport) -> int:
    return HistoryImport.objects.values_list("position", flat=True).get(pk=history.pk)


def finish() -> None:
    worker = start_worker("--interval", "0.1", **ENVIRONMENT)
    try:
        wait_until(lambda: not Job.objects.filter(kind=IMPORT).active().exists())
    finally:
        worker.terminate()
        worker.communicate(timeout=300)


def outcome(history: HistoryImport) -> tuple[Any, ...]:
    """Return all that tells one end from another; of the time of its end, whether there was one."""
    *counts, ended = HistoryImport.objects.values_list(*COUNTS).get(pk=history.pk)
    plays = Play.objects.filter(history_import=history).order_by("played_at")
    aside = history.unmatched.order_by("title").values_list("title", "plays")
    return *counts, ended is not None, list(plays.values_list("track__title", "played_at")), list(aside)


def test_killed_three_times_the_end_is_the_same(content: str) -> None:
    whole = begin(UserFactory(), content)
    finish()
    broken = begin(UserFactory(), content)
    for number in (1, 2, 3):
        worker = start_worker("--interval", "0.1", **ENVIRONMENT)
        wait_until(lambda: position(broken) >= number * CHUNK_ROWS)  # noqa: B023
        worker.send_signal(signal.SIGKILL)
        worker.communicate()
        assert number * CHUNK_ROWS <= position(broken) < PLAYS
    finish()
    job = broken.job()
    assert job is not None
    assert (job.state, job.attempt) == (Job.State.DONE, 4), job.log
    assert outcome(broken) == outcome(whole)
    # Every 50th record is a podcast, and each of those would have been a play of the first song.
    podcasts = PLAYS // 50
    assert outcome(whole)[:4] == (PLAYS, PLAYS * 3 // 5 - podcasts, 0, PLAYS * 2 // 5)
    connection.close()
