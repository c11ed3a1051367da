from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django_tasks_db.management.commands import db_worker

from jobs.management.commands import worker

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_worker_outlives_a_full_disk(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    errors = [OperationalError("database or disk is full"), OperationalError("database is locked")]

    def run(_worker: db_worker.Worker) -> None:
        if errors:
            raise errors.pop()

    monkeypatch.setattr(db_worker.Worker, "run", run)
    monkeypatch.setattr(db_worker.Worker, "configure_signals", lambda _worker: None)
    monkeypatch.setattr(worker, "_AWAY_SECONDS", 0.0)
    call_command("worker")
    assert errors == []
    lines = [line for line in caplog.messages if line.startswith("waiting: ")]
    assert [line.partition(" (")[0] for line in lines] == [
        "waiting: the database doesn't answer: database is locked",
        "waiting: the database doesn't answer: database or disk is full",
    ]
