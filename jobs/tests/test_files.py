from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest

from jobs.files import whole_file, write_whole


def test_a_file_is_replaced_with_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("earlier")
    path.chmod(0o600)
    write_whole(path, b"later")
    assert path.read_text() == "later"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("earlier")
    with suppress(InterruptedError), whole_file(path) as draft:
        draft.write_text("half")
        raise InterruptedError
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    path, link = tmp_path / "report.json", tmp_path / "latest.json"
    path.write_text("earlier")
    link.symlink_to(path)
    write_whole(link, b"later")
    assert link.is_symlink()
    assert path.read_text() == "later"


def test_a_device_is_written_directly(tmp_path: Path) -> None:
    write_whole(Path(os.devnull), b"nothing is kept")
    assert Path(os.devnull).is_char_device()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "report.json"
    with pytest.raises(FileNotFoundError) as caught:
        write_whole(path, b"text")
    assert caught.value.filename == str(path)
