"""Broken files of every format: read, or refused with a reason, within seconds and in little memory.

``make fuzz-imports`` tries 20,000 (``IMPORT_FUZZ_FILES``, ``IMPORT_FUZZ_SEED``, and ``IMPORT_FUZZ_FROM`` to go on).
"""

import io
import os
import signal
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest
from django.core.files.base import ContentFile
from pytest_django import Settings

from accounts.models import User
from catalog.importing.reading.reader import CatalogueReader
from catalog.importing.reading.source import SourceError, open_source
from catalog.importing.service import import_tracks
from feedback.history_import import services
from feedback.history_import.models import HistoryImport
from feedback.history_import.reading.formats import date_order, recognise, why_no_history
from feedback.history_import.reading.source import History, HistoryError
from feedback.history_import.reading.times import Times
from feedback.tests.factories import UserFactory
from jobs.models import Job
from jobs.tests.helpers import run_waiting
from tests.import_fuzz import fuzzed, seeds

FILES = int(os.environ.get("IMPORT_FUZZ_FILES", "300"))
SEED = int(os.environ.get("IMPORT_FUZZ_SEED", "20"))
FROM = int(os.environ.get("IMPORT_FUZZ_FROM", "0"))
# Each of these many files is imported as well, not only read.
IMPORTED_EVERY = 10
MAX_SECONDS, MAX_BYTES = 10, 200_000_000
_MAX_UNPACKED = 20_000_000


class HangError(BaseException):
    """A file took longer than ``MAX_SECONDS`` of the processor."""


@contextmanager
def bounded() -> Iterator[None]:
    """Raise ``HangError`` after so many seconds of this process's own time."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise HangError

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, MAX_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def told(error: Exception) -> None:
    """Look whether a refusal is one that people can read."""
    assert str(error).strip()
    assert len(str(error)) < 2_000


def read_history(name: str, content: bytes) -> None:
    try:
        opened = History(io.BytesIO(content), name)
        for member in opened.members:
            kind = recognise(member)
            if kind is None or why_no_history(member, kind):
                continue
            order, _examples = date_order(member, kind)
            for _row in kind.rows(member, Times(order=order or "day", zone="UTC")):
                pass
    except HistoryError as error:
        told(error)


def read_catalogue(name: str, content: bytes) -> None:
    try:
        with open_source(io.BytesIO(content), name=name, max_bytes=_MAX_UNPACKED) as opened:
            for _chunk in CatalogueReader(opened).chunks(None):
                pass
    except SourceError as error:
        told(error)


def import_both(user: User, name: str, content: bytes) -> None:
    services.begin_import(user=user, upload=ContentFile(content, name=name), wants_own_songs=True)
    run_waiting()
    job = Job.objects.latest("pk")
    assert "Traceback" not in job.log, job.log
    HistoryImport.objects.all().delete()
    try:
        import_tracks(source=io.BytesIO(content), name=name, max_bytes=_MAX_UNPACKED)
    except SourceError as error:
        told(error)


def memory(line: str) -> int:
    """Return a number of ``/proc/self/status`` in bytes."""
    text = Path("/proc/self/status").read_text().split(f"{line}:")[1]
    return int(text.split()[0]) * 1024


def test_members_with_impossible_names_and_places_are_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("\u00e9.json", "[]")
    packed = buffer.getvalue()
    no_text = packed.replace(b"\xc3\xa9", b"\xd8 ", 1)
    start = int.from_bytes(packed[-6:-2], "little")
    before_the_file = packed[:-6] + (start + 40).to_bytes(4, "little") + packed[-2:]
    for content in (no_text, before_the_file):
        with pytest.raises(HistoryError, match="damaged"):
            recognise(History(io.BytesIO(content), "a.zip").members[0])


@pytest.mark.django_db
def test_no_broken_file_fails_hangs_or_swells(settings: Settings, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path
    user, whole, failed = UserFactory(), seeds(), []
    # From here on the peak is counted anew; what this process holds from other tests is not of these files.
    Path("/proc/self/clear_refs").write_text("5")
    held = memory("VmRSS")
    for number in range(FROM, FROM + FILES):
        name, content = fuzzed(SEED, number, whole)
        try:
            with bounded():
                read_history(name, content)
                read_catalogue(name, content)
                if number % IMPORTED_EVERY == 0:
                    import_both(user, name, content)
        except (Exception, HangError) as error:
            failed.append((number, name, f"{type(error).__name__}: {error}"[:300]))
        if number % 1000 == 999:
            print(f"{number + 1} files, {len(failed)} failed, {memory('VmHWM') // 10**6} MB", flush=True)
    assert failed == []
    assert memory("VmHWM") - held < MAX_BYTES
