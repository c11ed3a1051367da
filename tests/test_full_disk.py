"""The disk is full, or a folder is read-only: one line names it, and nothing half written is left."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

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
        write_whole(earlier, "x" * 100_000)
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
