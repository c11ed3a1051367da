"""The disk is full, or a folder is read-only: one line names it, and nothing half written is left."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from catalog.synth.store import drafted
from jobs.files import write_whole

ROOT = Path(__file__).parent.parent
SIZE = "12m"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """Give a file system of 12 MB, with little room left."""
    if os.geteuid() != 0:
        pytest.skip("Mounting a small file system needs root.")
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"No small file system can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def run(home: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DEBUG": "true", "INSECURE_HTTP": "true", "EARWORM_HOME": str(home), **more}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def prepared(tmp_path: Path) -> tuple[Path, str]:
    home = tmp_path / "home"
    home.mkdir()
    url = f"sqlite:///{home / 'db.sqlite3'}"
    done = run(home, "migrate", "-v0", DATABASE_URL=url)
    assert done.returncode == 0, done.stderr
    songs = home / "songs.csv"
    songs.write_text("title,artist\n" + "".join(f"Song {n},Artist {n % 40}\n" for n in range(400)))
    assert run(home, "import_tracks", str(songs), DATABASE_URL=url).returncode == 0
    return home, url


def is_one_line(done: subprocess.CompletedProcess[str], *words: str) -> bool:
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return done.returncode != 0 and "Traceback" not in done.stderr and all(word in lines[-1] for word in words)


def test_a_full_disk_is_named_by_each_command_and_leaves_nothing(small: Path, tmp_path: Path) -> None:
    home, url = prepared(tmp_path)
    models = small / "models"
    models.mkdir()
    (small / "filler").write_bytes(b"x" * (12 * 2**20 - 48 * 1024))
    retrained = run(home, "retrain", DATABASE_URL=url, MODEL_DIR=str(models))
    assert is_one_line(retrained, "No space left on device"), retrained.stderr
    assert [path for path in models.iterdir() if path.is_dir()] == []
    backed_up = run(home, "backup", str(small / "backup.zip"), DATABASE_URL=url)
    # SQLite says it in words of its own.
    assert is_one_line(backed_up, str(small), "disk is full"), backed_up.stderr
    assert sorted(path.name for path in small.iterdir()) == ["filler", "models"]


@pytest.mark.parametrize("room", [96, 400])
def test_a_model_that_finds_no_room_is_named_by_its_file(small: Path, tmp_path: Path, room: int) -> None:
    home, url = prepared(tmp_path)
    models = small / "models"
    models.mkdir()
    (small / "filler").write_bytes(b"x" * (12 * 2**20 - room * 1024))
    retrained = run(home, "retrain", DATABASE_URL=url, MODEL_DIR=str(models))
    assert is_one_line(retrained, "can't write", str(models), ".npy: No space left on device"), retrained.stderr
    assert [path for path in models.iterdir() if path.is_dir()] == []


def test_files_for_people_are_whole_or_not_there(small: Path, tmp_path: Path) -> None:
    home, url = prepared(tmp_path)
    earlier = small / "earlier.json"
    earlier.write_text("an earlier report")
    (small / "filler").write_bytes(b"x" * (12 * 2**20 - 8 * 1024))
    wanted = run(small, "make_env")
    assert is_one_line(wanted, str(small / ".env"), "No space left on device"), wanted.stderr
    exported = run(home, "export_interactions", str(small / "folder"), DATABASE_URL=url)
    assert is_one_line(exported, str(small / "folder"), "No space left on device"), exported.stderr
    with pytest.raises(OSError, match=r"No space left on device: .*earlier\.json"):
        write_whole(earlier, b"x" * 100_000)
    assert earlier.read_text() == "an earlier report"
    # Without its manifest the folder counts for nothing.
    left = [path.name for path in small.rglob("*") if path.is_file()]
    assert sorted(left) == ["earlier.json", "filler", "items.parquet"]


def test_a_read_only_folder_is_named(small: Path, tmp_path: Path) -> None:
    home, url = prepared(tmp_path)
    subprocess.run(["mount", "-o", "remount,ro", small], check=True)
    retrained = run(home, "retrain", DATABASE_URL=url, MODEL_DIR=str(small / "models"))
    assert is_one_line(retrained, "Read-only file system", str(small)), retrained.stderr
    backed_up = run(home, "backup", str(small / "backup.zip"), DATABASE_URL=url)
    assert is_one_line(backed_up, "Read-only file system"), backed_up.stderr
    away = run(home, "retrain", DATABASE_URL="postgres://postgres@127.0.0.1:1/nowhere")
    assert is_one_line(away, "the database doesn't answer"), away.stderr
    gone = run(home, "retrain", DATABASE_URL=f"sqlite:///{small / 'db.sqlite3'}")
    assert is_one_line(gone, "unable to open database file", str(small / "db.sqlite3")), gone.stderr


def test_no_draft_of_a_cached_sound_stays(small: Path) -> None:
    sketch = small / "sketches" / "kept.wav"
    with drafted(sketch) as draft:
        draft.write(b"x" * 1000)
    (small / "filler").write_bytes(b"x" * (12 * 2**20 - 200 * 1024))
    for size in (50, 500_000):
        # A small one fails when it is closed, since it fits into the buffer.
        with pytest.raises(OSError, match="No space left"):
            draft_and_fill(small, size)
        assert list((small / "sketches").iterdir()) == [sketch]


def draft_and_fill(small: Path, size: int) -> None:
    filler = small / "rest"
    try:
        with drafted(small / "sketches" / "new.wav") as draft:
            draft.write(b"x" * size)
            with suppress(OSError), filler.open("wb", buffering=0) as file:
                while file.write(b"x" * 4096):
                    pass
    finally:
        filler.unlink(missing_ok=True)


# Run by `manage.py shell` in a home on the small file system: its database is there, too.
ON_A_FULL_DISK = """
from contextlib import suppress
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from accounts.models import User

client = Client(raise_request_exception=False, headers={"origin": "http://testserver"})
client.force_login(User.objects.create_superuser("root", "root@example.org", "x"))
filler = settings.VAR_DIR / "filler"
with suppress(OSError), filler.open("wb", buffering=0) as file:
    while file.write(b"x" * 4096):
        pass
exported = client.get("/api/user/export")
print(exported.status_code, exported.getvalue()[:1])
# Room for some of the rejected rows, not for all.
with filler.open("ab") as file:
    file.truncate(filler.stat().st_size - 100_000)
songs = b"title,artist\\n" + b",A\\n" * 9000
imported = client.post("/admin/catalog/track/import/", {"file": SimpleUploadedFile("songs.csv", songs)})
print(imported.status_code, imported["Retry-After"], list((settings.VAR_DIR / "rejected-rows").iterdir()))
filler.unlink()
imported = client.post("/admin/catalog/track/import/", {"file": SimpleUploadedFile("songs.csv", songs)})
print(imported.status_code, len(list((settings.VAR_DIR / "rejected-rows").iterdir())))
"""


def test_pages_on_a_full_disk_say_so_and_leave_nothing(small: Path) -> None:
    url = f"sqlite:///{small / 'db.sqlite3'}"
    assert run(small, "migrate", "-v0", DATABASE_URL=url).returncode == 0
    more = {"DATABASE_URL": url, "MIN_FREE_DISK_MB": "0", "ALLOWED_HOSTS": "testserver"}
    done = run(small, "shell", "-v0", "-c", ON_A_FULL_DISK, **more)
    assert done.stdout.splitlines() == ["200 b'{'", "503 5 []", "200 1"], done.stderr


def test_a_restore_without_room_names_the_file_and_keeps_what_is_there(small: Path) -> None:
    url = f"sqlite:///{small / 'db.sqlite3'}"
    assert run(small, "migrate", "-v0", DATABASE_URL=url).returncode == 0
    assert run(small, "backup", str(small / "backup.zip"), DATABASE_URL=url).returncode == 0
    size = (small / "db.sqlite3").stat().st_size
    before = sorted(path.name for path in small.rglob("*"))
    # The copy finds no room; it does, but what SQLite needs to look into it does not.
    for room, reason in ((64, "database.sqlite3: No space left on device"), (size // 1024 + 8, "could not be checked")):
        free = os.statvfs(small)
        (small / "filler").write_bytes(b"x" * (free.f_bavail * free.f_frsize - room * 1024))
        restored = run(small, "restore", str(small / "backup.zip"), "--overwrite", DATABASE_URL=url)
        assert is_one_line(restored, str(small), reason), restored.stderr
        (small / "filler").unlink()
        assert sorted(path.name for path in small.rglob("*")) == before
    assert run(small, "restore", str(small / "backup.zip"), "--overwrite", DATABASE_URL=url).returncode == 0


def test_a_worker_on_a_full_disk_names_it_in_a_line(small: Path) -> None:
    url = f"sqlite:///{small / 'db.sqlite3'}"
    assert run(small, "migrate", "-v0", DATABASE_URL=url).returncode == 0
    # SQLite can be read, not written; then it can't be opened either.
    for room, status in ((60, 0), (4, 1)):
        free = os.statvfs(small)
        (small / "filler").write_bytes(b"x" * (free.f_bavail * free.f_frsize - room * 1024))
        worker = run(small, "worker", "--batch", DATABASE_URL=url)
        (small / "filler").unlink()
        assert (worker.returncode, "Traceback" in worker.stderr) == (status, False), worker.stderr
        assert f"({small / 'db.sqlite3'})" in worker.stderr


def test_assets_that_npm_cut_on_a_full_disk_are_not_taken(
    small: Path, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.VENDOR_DIR = tmp_path / "vendor"
    monkeypatch.setattr(tempfile, "tempdir", str(small))
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    styles = "node_modules/bootstrap/dist/css/bootstrap.min.css"
    npm.write_text(f"#!/bin/sh\nmkdir -p {Path(styles).parent}\nhead -c 500000 /dev/zero > {styles}\nexit 0\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}:/usr/bin:/bin")
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    (small / "filler").write_bytes(b"x" * (12 * 2**20 - 200 * 1024))
    with pytest.raises(CommandError, match=f"{small}: no room left on the disk"):
        call_command("fetch_assets")
    # Pages find what stands in for them.
    assert (settings.VENDOR_DIR / "vendor" / "bootstrap.min.css").read_bytes() == b""
    assert [path.name for path in small.iterdir()] == ["filler"]
