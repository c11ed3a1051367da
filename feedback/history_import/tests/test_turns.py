"""A long import goes to the back of the queue after each part of it, and is whole all the same."""

from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from pytest_django import Settings

from feedback.history_import import job as history_job
from feedback.history_import import services
from feedback.history_import.models import HistoryImport
from feedback.history_import.tests.histories import packed, spotify
from feedback.plays.models import Play
from feedback.tests.factories import UserFactory
from jobs.models import Job
from jobs.tests.helpers import run_waiting

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_short_import_is_done_before_a_long_one_that_came_first(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr(history_job, "CHUNK_ROWS", 4)
    imports = []
    for number_of_plays in (40, 4):
        rows = [
            spotify(f"Song {number}", ts=f"2024-01-{1 + number // 20:02}T{number % 20:02}:00:00Z")
            for number in range(number_of_plays)
        ]
        upload = ContentFile(packed(Streaming_History_Audio_json=rows), name="my data.zip")
        imports.append(services.begin_import(user=UserFactory(), upload=upload, wants_own_songs=True))
    run_waiting()
    long, short = (HistoryImport.objects.get(pk=history.pk) for history in imports)
    assert (long.plays_added, long.position, short.plays_added) == (40, 40, 4)
    assert Play.objects.count() == 44
    first, last = Job.objects.order_by("finished_at")
    assert [first.subject, last.subject] == [short.subject, long.subject]
    # The long one has begun twice at least; told is it once.
    assert last.log.count("attempt 1 by tests") == 1
    assert last.attempt == 1
