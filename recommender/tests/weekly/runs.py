"""Runs the job of the weekly lists as the worker does."""

from collections.abc import Callable

from accounts.models import User
from catalog.models import Track
from feedback.plays.models import Play
from jobs.models import Job
from jobs.running import run
from jobs.services import enqueue
from recommender.models import WeeklyList


def run_job() -> str:
    """Run the job once and return its last line, which says what it did."""
    job = enqueue(kind="weekly-lists")
    assert job.task_id is not None
    run(job.pk, job.task_id, "worker")
    job.refresh_from_db()
    assert job.state == Job.State.DONE, job.log
    return job.log.splitlines()[-1].partition(" ")[2].partition(" ")[2]


def hear(user: User, weekly_list: WeeklyList, likes: Callable[[Track], bool], songs: int = 30) -> int:
    """Let the listener hear the first songs of a list: to the end where they like them; return how many these were."""
    finished = 0
    for song in weekly_list.songs.select_related("track")[:songs]:
        assert song.track is not None
        is_liked = likes(song.track)
        outcome = Play.Outcome.COMPLETED if is_liked else Play.Outcome.SKIPPED
        Play.objects.create(user=user, track=song.track, outcome=outcome)
        finished += is_liked
    return finished
