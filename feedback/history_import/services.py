"""Writes of history imports: upload, stop, continue, undo."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.locks import lock_user
from accounts.models import User
from feedback.history_import.capacity import refuse_at_cap
from feedback.history_import.job import IMPORT, UNDO
from feedback.history_import.models import UPLOAD_PREFIX, HistoryImport, upload_storage
from feedback.history_import.reading.times import DAY_FIRST, MONTH_FIRST
from jobs import services as jobs
from jobs.disk import refuse_full_disk


class ImportBusyError(Exception):
    """Another import of this listener is not done yet."""


@transaction.atomic
def begin_import(*, user: User, upload: "File[Any]", wants_own_songs: bool) -> HistoryImport:
    """Store the upload and start its import in the background.

    Raise ``ImportBusyError``, ``DiskFullError``, and ``CapError`` where nothing of it could be added.

    A listener has one upload kept at a time: those of earlier imports, which were stopped or failed, go.
    """
    # Concurrent uploads wait for each other here.
    lock_user(user)
    if any(job.is_active for job in map(HistoryImport.job, user.history_imports.filter(finished_at=None)) if job):
        raise ImportBusyError
    refuse_full_disk(upload.size or 0)
    refuse_at_cap(user)
    earlier = user.history_imports.filter(finished_at=None)
    name = (upload.name or "history").replace("\0", "").rsplit("/", 1)[-1][-255:]
    history = HistoryImport(user=user, name=name, size=upload.size, wants_own_songs=wants_own_songs)
    history.file.save("upload", upload, save=False)
    try:
        _let_go(earlier)
        history.save()
        _ask(IMPORT, history)
    except BaseException:
        history.file.delete(save=False)
        raise
    return history


def _let_go(imports: QuerySet[HistoryImport]) -> int:
    """End imports that are not running, and delete their uploads; the imported plays stay. Return their number."""
    idle = [history for history in imports if not ((job := history.job()) and job.is_active)]
    imports.filter(pk__in=[history.pk for history in idle]).update(finished_at=timezone.now(), file="")
    names = [str(history.file.name) for history in idle if history.file]
    # Only after the commit, so that no remaining row refers to a deleted file.
    for name in names:
        transaction.on_commit(partial(upload_storage().delete, name))
    return len(names)


@transaction.atomic
def delete_old_uploads() -> int:
    """Delete uploads of stopped and failed imports after ``UPLOADS_KEPT_DAYS``; return their number."""
    since = timezone.now() - timedelta(days=settings.UPLOADS_KEPT_DAYS)
    return _let_go(HistoryImport.objects.filter(finished_at=None, created_at__lt=since).exclude(file=""))


def delete_stray_uploads() -> int:
    """Delete uploads that belong to no import (of accounts deleted past the site), and those kept for too long.

    Return their number. Stray uploads are deleted once they are a day old, because an upload is written before its
    import.
    """
    storage = upload_storage()
    in_use = set(HistoryImport.objects.exclude(file="").values_list("file", flat=True))
    yesterday = timezone.now() - timedelta(days=1)
    try:
        _folders, names = storage.listdir("")
    except FileNotFoundError:
        return delete_old_uploads()
    mine = [name for name in names if name.startswith(UPLOAD_PREFIX) and name not in in_use]
    stray = [name for name in mine if storage.get_modified_time(name) < yesterday]
    for name in stray:
        storage.delete(name)
    return len(stray) + delete_old_uploads()


def stop_import(*, history: HistoryImport) -> None:
    """Stop the job at work on it. Raise ``JobError`` where none is."""
    job = history.job()
    if job is None:
        raise jobs.JobError(_("it has already finished"))
    jobs.request_stop(job=job)


def continue_import(*, history: HistoryImport) -> None:
    """Resume an import that was stopped or failed."""
    if history.finished_at is not None:
        raise jobs.JobError(_("it has already finished"))
    _ask(IMPORT, history)


def answer_question(*, history: HistoryImport, order: str) -> None:
    """Note whether day or month comes first in the file in question, and go on. Raise ``JobError`` without one."""
    if history.finished_at is not None or not history.question:
        raise jobs.JobError(_("nothing is asked"))
    if order not in (DAY_FIRST, MONTH_FIRST):
        raise ValueError(order)
    history.date_orders = {**(history.date_orders or {}), history.question["name"]: order}
    history.question = None
    history.save(update_fields=["date_orders", "question"])
    _ask(IMPORT, history)


def undo_import(*, history: HistoryImport) -> None:
    """Start undoing everything that the import added. Raise ``JobError`` while it is at work."""
    job = history.job()
    if job is not None and job.is_active:
        raise jobs.JobError(_("it is still running"))
    _ask(UNDO, history)


CHANGES: dict[str, Callable[..., None]] = {
    "stop": stop_import,
    "continue": continue_import,
    "undo": undo_import,
    "day-first": partial(answer_question, order=DAY_FIRST),
    "month-first": partial(answer_question, order=MONTH_FIRST),
}


def _ask(kind: str, history: HistoryImport) -> None:
    jobs.enqueue(kind=kind, user_id=history.user_id, arguments={"import": history.pk}, subject=history.subject)
