"""What is thrown away by itself, and what is not."""

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.utils import timezone

from feedback.history_import.models import HistoryImport, upload_storage
from jobs.models import Job
from jobs.services import enqueue
from jobs.tests.helpers import run_waiting
from recommender.lifecycle import cleanup as tidying
from recommender.lifecycle.cleanup import TIDY, delete_old_recommendations
from recommender.models import ModelVersion, Recommendation
from recommender.tests.builders import make_track, make_user

pytestmark = pytest.mark.django_db
DAY = 86_400


def shown(*ages_in_days: float) -> None:
    version = ModelVersion.objects.create(directory=uuid4().hex)
    user, track = make_user(), make_track("Etude")
    for age in ages_in_days:
        Recommendation.objects.create(
            user=user, track=track, model_version=version, page=uuid4(), position=0, score=age, policy="greedy",
            propensity=1.0, created_at=timezone.now() - timedelta(days=age),
        )  # fmt: skip


def ages() -> list[float]:
    return sorted(Recommendation.objects.values_list("score", flat=True))


def test_old_pages_go(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.RECOMMENDATIONS_KEPT_DAYS = 30
    monkeypatch.setattr(tidying, "_BATCH", 2)
    shown(90, 80, 31, 29, 1)

    assert delete_old_recommendations() == 3
    assert ages() == [1, 29]
    assert delete_old_recommendations() == 0


def test_0_keeps_all(settings: Any) -> None:
    settings.RECOMMENDATIONS_KEPT_DAYS = 0
    shown(4000)

    assert delete_old_recommendations() == 0
    assert ages() == [4000]


def test_stray_uploads_and_ended_sessions_go(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path
    storage = upload_storage()
    for name in ("history-kept", "history-stray", "history-new", "something-else"):
        storage.save(name, ContentFile(b"[]"))
        changed = time.time() - (0 if name == "history-new" else 2 * DAY)
        os.utime(tmp_path / "uploads" / name, (changed, changed))
    HistoryImport.objects.create(user=make_user(), name="mine.json", file="history-kept")
    for days in (-1, 1):
        Session.objects.create(session_key=f"key{days}", expire_date=timezone.now() + timedelta(days=days))

    enqueue(kind=TIDY.name, user_id=None, subject="tidy")
    run_waiting()

    assert {path.name for path in (tmp_path / "uploads").iterdir()} == {"history-kept", "history-new", "something-else"}
    assert list(Session.objects.values_list("session_key", flat=True)) == ["key1"]
    assert "1 orphaned uploads" in Job.objects.get().log
