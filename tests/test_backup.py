"""A backup taken under load restores to a site that is sound and serves; every cause of trouble has its line."""

import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from pytest_django.fixtures import Settings

from accounts.models import User
from catalog.models import Track
from feedback.history_import.models import HistoryImport
from feedback.plays.models import Play
from feedback.ratings.models import Rating
from feedback.tests.factories import UserFactory, make_track
from jobs.tests.helpers import database_url, wait_until
from recommender.models import ModelVersion
from spotify_rec.backup.common import MANIFEST

pytestmark = pytest.mark.django_db(transaction=True)

# One transaction each: a like, and two plays of the same song. A half of one is what no backup may hold.
WRITER = """
import itertools
from datetime import UTC, datetime, timedelta
from django.db import transaction
from accounts.models import User
from catalog.models import Track
from feedback.models import Play, Rating
user = User.objects.get(username="writer")
start = datetime(2020, 1, 1, tzinfo=UTC)
for number in itertools.count():
    with transaction.atomic():
        track = Track.objects.create(title=f"Song {number}")
        Play.objects.create(user=user, track=track, played_at=start + timedelta(minutes=number), ms_played=1000)
        Rating.objects.create(user=user, track=track, value=1)
        Play.objects.create(user=user, track=track, played_at=start - timedelta(minutes=number + 1), ms_played=1000)
"""
READER = """
import json
from django.db.models import Count
from django.test import Client
from accounts.models import User
from feedback.models import Play, Rating
from recommender.pages.feed import recommend_feed
client = Client(headers={"host": "localhost"})
client.force_login(User.objects.get(username="reader"))
page = client.get("/", follow=True)
feed = recommend_feed(user=User.objects.get(username="reader"))
likes = set(Rating.objects.filter(user__username="writer").values_list("track_id", flat=True))
plays = Play.objects.filter(user__username="writer").values_list("track_id").annotate(Count("pk"))
print(json.dumps([page.status_code, len(feed.items), len(likes),
    likes == {track for track, _count in plays}, sorted({count for _track, count in plays})]))
"""


@pytest.fixture
def places(tmp_path: Path, settings: Settings) -> Path:
    """Return a folder for backups; models and uploads lie beside it."""
    needed = {"postgresql": ("pg_dump", "psql"), "mysql": ("mariadb-dump", "mariadb")}.get(connection.vendor, ())
    if missing := [name for name in needed if shutil.which(name) is None]:
        pytest.skip(f"{', '.join(missing)} is not on this machine")
    settings.MODEL_DIR, settings.VAR_DIR = tmp_path / "models", tmp_path / "var"
    folder = tmp_path / "backups"
    folder.mkdir()
    return folder


def manage(*arguments: str, **environment: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": database_url(), **{key: str(value) for key, value in environment.items()}},
        capture_output=True,
        text=True,
        check=False,
    )


def backup(folder: Path, name: str = "site.zip") -> Path:
    call_command("backup", folder / name, verbosity=0)
    return folder / name


def rows() -> dict[str, int]:
    with connection.cursor() as cursor:
        counts = {}
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")
            counts[table] = cursor.fetchone()[0]
    return counts


def restore(path: Path, **options: Any) -> None:
    call_command("restore", path, verbosity=0, **options)


def test_taken_under_load_it_restores_to_a_site_that_serves(places: Path, other_database: str, tmp_path: Path) -> None:
    UserFactory(username="reader")
    writer = UserFactory(username="writer")
    for number in range(12):
        make_track(f"Known {number}")
    call_command("retrain", verbosity=0)
    process = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", WRITER],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": database_url()},
    )
    try:
        wait_until(lambda: Rating.objects.filter(user=writer).count() > 20)
        before = Rating.objects.filter(user=writer).count()
        path = backup(places)
        assert Rating.objects.filter(user=writer).count() > before, "nothing was written meanwhile"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    there = {"DATABASE_URL": other_database, "MODEL_DIR": tmp_path / "models2"}
    assert manage("restore", str(path), **there).returncode == 0
    assert manage("check", "--fail-level", "WARNING", **there).returncode == 0
    assert manage("migrate", "--check", **there).returncode == 0
    status, songs, likes, are_whole, plays_each = json.loads(
        manage("shell", "-v", "0", "-c", READER, **there).stdout.splitlines()[-1]
    )
    assert (status, are_whole, plays_each) == (200, True, [2])
    # Two of an artist at most, and all are by one.
    assert songs == 2
    assert before <= likes
    # The places of the numbers come along: the next song gets a new one.
    added = manage(
        "shell", "-v", "0", "-c", "from catalog.models import Track; Track.objects.create(title='x')", **there
    )
    assert added.returncode == 0, added.stderr


def test_everything_comes_back_in_the_same_place(places: Path, settings: Settings) -> None:
    user = UserFactory(username="reader")
    for number in range(12):
        make_track(f"Known {number}")
    call_command("retrain", verbosity=0)
    upload = settings.VAR_DIR / "uploads" / "history-1"
    upload.parent.mkdir(parents=True)
    upload.write_bytes(b"past")
    HistoryImport.objects.create(user=user, name="past.json", file=upload.name)
    # No row names it: its account is gone.
    stray = upload.with_name("history-2")
    stray.write_bytes(b"another's past")
    path = backup(places)
    rows_before = rows()
    model = settings.MODEL_DIR / ModelVersion.objects.get().directory
    files = {file.name: file.read_bytes() for file in model.iterdir()}

    Rating.objects.create(user=user, track=Track.objects.all()[0], value=1)
    Track.objects.filter(title="Known 3").update(title="Changed")
    upload.unlink()
    stray.unlink()
    next(iter(model.glob("*.npy"))).unlink()
    restore(path, overwrite=True)

    assert rows() == rows_before
    assert not Track.objects.filter(title="Changed").exists()
    assert upload.read_bytes() == b"past"
    assert not stray.exists()
    assert {file.name: file.read_bytes() for file in model.iterdir()} == files
    assert not [file for file in settings.MODEL_DIR.iterdir() if file.name.startswith(".restore")]


def test_a_backup_is_its_owners_alone_and_named_after_the_time(places: Path) -> None:
    call_command("backup", places, verbosity=0)
    (path,) = places.iterdir()
    assert path.name.startswith("earworm-20")
    assert path.stat().st_mode & 0o777 == 0o600


def test_nothing_is_overwritten_unasked(places: Path) -> None:
    path = backup(places)
    with pytest.raises(CommandError, match="already exists, and backups never overwrite files"):
        backup(places)
    UserFactory(username="newcomer")
    with pytest.raises(CommandError, match=r"The database isn't empty \(\d+ tables\)\. Use --overwrite"):
        restore(path)
    assert User.objects.filter(username="newcomer").exists()


def damaged_in_the_middle(path: Path) -> None:
    content = bytearray(path.read_bytes())
    middle = len(content) // 3
    content[middle : middle + 64] = bytes(64)
    path.write_bytes(content)


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def rewritten(path: Path, **changes: Any) -> None:
    """Write the file anew with other values in its list of contents."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(members[MANIFEST])
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**members, MANIFEST: json.dumps({**manifest, **changes}).encode()}.items():
            archive.writestr(name, content)


def of_another_database(path: Path) -> None:
    rewritten(path, database="oracle")


def of_a_newer_release(path: Path) -> None:
    rewritten(path, migrations={"catalog": ["0001_initial", "9999_far_away"]})


def of_a_later_format(path: Path) -> None:
    rewritten(path, format=99)


def with_a_part_missing(path: Path) -> None:
    rewritten(path, members=["database.sql", "models/a/b"])


def with_a_way_out(path: Path) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("uploads/../../evil", b"x")
    rewritten(path, members=["uploads/../../evil"])


def of_somebody_else(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("holiday.jpg", b"x")


def not_there(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (damaged_in_the_middle, "is damaged: "),
        (cut_off, "isn't a backup, or is incomplete"),
        (of_another_database, "is from a oracle database, but DATABASE_URL points to"),
        (of_a_newer_release, "was made by a newer release .it has the migration catalog.9999_far_away."),
        (of_a_later_format, "format 99; this release reads 1"),
        (with_a_part_missing, "is damaged: .* is missing"),
        (with_a_way_out, "isn't an Earworm backup: it contains 'uploads/../../evil'"),
        (of_somebody_else, "isn't an Earworm backup: backup.json is missing"),
        (not_there, "no such file"),
    ],
)
def test_what_is_no_sound_backup_touches_nothing(places: Path, harm: Any, message: str) -> None:
    make_track("Kept")
    path = backup(places)
    UserFactory(username="newcomer")
    harm(path)
    with pytest.raises(CommandError, match=message):
        restore(path, overwrite=True)
    assert User.objects.filter(username="newcomer").exists()


def test_a_target_that_cannot_be_written_leaves_nothing(places: Path) -> None:
    with pytest.raises(CommandError, match="no/where: no such folder"):
        call_command("backup", places / "no" / "where" / "site.zip", verbosity=0)
    assert list(places.iterdir()) == []


def test_without_the_servers_programs_the_package_is_named(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite needs no program")
    monkeypatch.setenv("PATH", str(places))
    with pytest.raises(CommandError, match=r"isn't installed \(Debian: apt install "):
        backup(places)
    assert list(places.iterdir()) == []


def test_what_the_servers_program_says_is_passed_on(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite needs no program")
    path = backup(places)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            # Without its signature, nobody can tell that it was changed.
            changed = content.replace(b'"signature"', b'"no signature"').replace(b"boolean", b"bolean")
            archive.writestr(name, changed.replace(b"tinyint", b"tinint"))
    with pytest.raises(CommandError, match=r"(psql|mariadb): .*(type|SQL syntax)"):
        restore(path, overwrite=True, trust_unsigned=True)
    if connection.vendor == "mysql":
        # It knows no transaction around tables; they come back for the tests after this one.
        call_command("migrate", verbosity=0)
    assert "accounts_user" in connection.introspection.table_names()


def test_a_damaged_database_is_not_kept(places: Path) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("the servers see to their rows themselves")
    with connection.constraint_checks_disabled():
        Rating.objects.create(user_id=999, track_id=999, value=1)
    with pytest.raises(
        CommandError, match=r"the database is damaged: row .* of feedback_rating points to a missing row"
    ):
        backup(places)
    Rating.objects.all().delete()


def test_a_backup_of_an_earlier_release_asks_for_migrate(places: Path, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        call_command("migrate", "recommender", "0003", verbosity=0)
        path = backup(places)
        call_command("migrate", verbosity=0)
        call_command("restore", path, overwrite=True)
        assert "The backup is from an earlier release. Run `manage.py migrate` (7 to apply)." in capsys.readouterr().out
    finally:
        call_command("migrate", verbosity=0)
    assert Play.objects.count() == 0
