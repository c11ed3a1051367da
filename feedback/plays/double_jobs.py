"""Removing duplicate plays and restoring them as background jobs: a history may have a hundred thousand."""

from collections.abc import Callable

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from feedback.plays.doubles import put_doubles_back, remove_doubles
from jobs.models import Job
from jobs.registry import Kind, Run
from jobs.services import JobError, enqueue

REMOVE, RESTORE = "duplicates-remove", "duplicates-restore"
KIND_OF_ACTION = {"remove": REMOVE, "put-back": RESTORE, "restore": RESTORE}


def request_change(*, user: User, action: str) -> Job:
    """Ask for a removal or a restoration of the listener's duplicates; return its job.

    Raise ``JobError`` while the other of the two is at work.
    """
    kind = KIND_OF_ACTION[action]
    job = enqueue(kind=kind, user_id=user.pk, subject=_subject(user))
    if job.kind != kind:
        raise JobError("duplicates are being removed or restored already")
    return job


def latest_job(user: User) -> Job | None:
    """Return the latest job on the listener's duplicates; one query."""
    return Job.objects.filter(subject=_subject(user)).first()


def _subject(user: User) -> str:
    return f"duplicates:{user.pk}"


def _changed(run: Run, change: Callable[..., int], done: str) -> str:
    user = User.objects.filter(pk=run.job.user_id or 0).first()
    if user is None:
        return "nothing left to do"
    number = change(user=user, on_progress=lambda part, total: run.report(f"{part:,}", part / max(1, total)))
    return f"{number:,} duplicates {done}"


KINDS = (
    Kind(
        name=REMOVE,
        label=_("Removal of duplicate plays"),
        handler=lambda run: _changed(run, remove_doubles, "removed"),
    ),
    Kind(
        name=RESTORE,
        label=_("Restoring of duplicate plays"),
        handler=lambda run: _changed(run, put_doubles_back, "restored"),
    ),
)
