"""Writes around a brought-along history: taking the upload, stopping, going on, undoing."""

from datetime import timedelta
from typing import Any

from django.core.files import File
from django.db import transaction
from django.utils import timezone

from accounts.locks import wait_for_other_changes
from accounts.models import User
from feedback.history_import.job import IMPORT, UNDO
from feedback.history_models import UPLOAD_PREFIX, HistoryImport, upload_storage
from jobs import services as jobs


class ImportBusyError(Exception):
    """Another import of this listener is not done yet."""


@transaction.atomic
def begin_import(*, user: User, upload: "File[Any]", wants_own_songs: bool) -> HistoryImport:
    """Keep the upload and have it imported in the background. Raises ``ImportBusyError``."""
    # Two uploads at once wait for each other here.
    wait_for_other_changes(user)
    if any(job.is_active for job in map(HistoryImport.job, user.history_imports.filter(finished_at=None)) if job):
        raise ImportBusyError
    name = (upload.name or "history").replace("\0", "").rsplit("/", 1)[-1][-255:]
    history = HistoryImport(user=user, name=name, size=upload.size, wants_own_songs=wants_own_songs)
    history.file.save("upload", upload, save=False)
    try:
        history.save()
        _ask(IMPORT, history)
    except BaseException:
        history.file.delete(save=False)
        raise
    return history


def delete_stray_uploads() -> int:
    """Delete uploads that belong to no import, such as those of accounts deleted past the site; return their number.

    Only those a day old: an upload is written before its import is.
    """
    storage = upload_storage()
    kept = set(HistoryImport.objects.exclude(file="").values_list("file", flat=True))
    yesterday = timezone.now() - timedelta(days=1)
    try:
        _folders, names = storage.listdir("")
    except FileNotFoundError:
        return 0
    mine = [name for name in names if name.startswith(UPLOAD_PREFIX) and name not in kept]
    stray = [name for name in mine if storage.get_modified_time(name) < yesterday]
    for name in stray:
        storage.delete(name)
    return len(stray)


def stop_import(*, history: HistoryImport) -> None:
    """Stop the job at work on it. Raises ``JobError`` where none is."""
    job = history.job()
    if job is None:
        raise jobs.JobError("it has ended already")
    jobs.request_stop(job=job)


def continue_import(*, history: HistoryImport) -> None:
    """Go on with an import that was stopped or failed, where it left off."""
    if history.finished_at is not None:
        raise jobs.JobError("it has ended already")
    _ask(IMPORT, history)


def undo_import(*, history: HistoryImport) -> None:
    """Have all that the import brought taken back. Raises ``JobError`` while it is at work."""
    job = history.job()
    if job is not None and job.is_active:
        raise jobs.JobError("it has not ended yet")
    _ask(UNDO, history)


def _ask(kind: str, history: HistoryImport) -> None:
    jobs.enqueue(kind=kind, user_id=history.user_id, arguments={"import": history.pk}, subject=history.subject)
