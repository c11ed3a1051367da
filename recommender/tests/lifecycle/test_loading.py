"""The model in memory: loaded once, and replaced beside the requests."""

import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.test import Client

from catalog.models import Track
from recommender.lifecycle.loading import Loader
from recommender.lifecycle.training import retrain
from recommender.lifecycle.trial import has_died_of, marked, survives
from recommender.lifecycle.versions import active_model
from recommender.models import ModelVersion
from recommender.tests.builders import make_catalogue, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def versions() -> tuple[ModelVersion, ModelVersion]:
    make_catalogue()
    made = [retrain(force=True).version for _number in range(2)]
    assert made[0] is not None
    assert made[1] is not None
    return made[0], made[1]


def until(is_so: Callable[[], bool]) -> None:
    limit = time.monotonic() + 180
    while not is_so():
        assert time.monotonic() < limit, "it did not come to be within 180 s"
        time.sleep(0.01)


def directory(loader: Loader, version: ModelVersion) -> str:
    loaded = loader.get(version)
    assert loaded is not None
    return loaded.version.directory


def test_a_command_has_the_version_it_asks_for_at_once(versions: tuple[ModelVersion, ModelVersion]) -> None:
    loader = Loader()
    first, second = versions
    assert loader.get(first) is loader.get(first)
    assert [directory(loader, version) for version in (first, second, first)] == [
        first.directory,
        second.directory,
        first.directory,
    ]


def test_a_worker_serves_the_version_before_until_the_new_one_is_there(
    versions: tuple[ModelVersion, ModelVersion],
) -> None:
    loader = Loader()
    loader.in_background = True
    first, second = versions
    before = loader.get(first)
    assert loader.get(second) is before
    until(lambda: directory(loader, second) == second.directory)


def test_a_version_that_cannot_be_used_does_not_take_the_place(
    versions: tuple[ModelVersion, ModelVersion], model_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    loader = Loader()
    loader.in_background = True
    first, second = versions
    (model_dir / second.directory / "manifest.json").unlink()
    before = loader.get(first)
    with caplog.at_level(logging.ERROR, logger="recommender.lifecycle.loading"):
        assert loader.get(second) is before
        until(lambda: len(caplog.records) == 1)
        for _request in range(20):
            assert loader.get(second) is before
    assert [f"model version {second.pk} can't be used" in text for text in caplog.messages] == [True]


@contextmanager
def loading_elsewhere(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Give a process that is loading the model in ``folder``, and stays at it."""
    code = (
        "import sys, pathlib\n"
        "from recommender.lifecycle.trial import marked\n"
        "with marked(pathlib.Path(sys.argv[1])): print('at it', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", code, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "at it\n"
        try:
            yield process
        finally:
            process.kill()


def die_loading(folder: Path) -> None:
    with loading_elsewhere(folder) as process:
        process.kill()
        process.wait()


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def test_a_marker_tells_of_a_death_and_not_of_work_that_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "version"
    with marked(folder), loading_elsewhere(folder):
        assert not has_died_of(folder)
    # The one that was killed left its marker; the one that came to its end took it away.
    assert has_died_of(folder)
    assert not has_died_of(tmp_path / "another")


def test_a_flipped_bit_anywhere_lets_the_version_before_serve(
    versions: tuple[ModelVersion, ModelVersion], model_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = versions
    flip(model_dir / second.directory / "term.genre.indices.npy")
    with caplog.at_level(logging.ERROR, logger="recommender.lifecycle.loading"):
        loaded = active_model()
    assert loaded is not None
    assert loaded.version == first
    assert "term.genre.indices.npy: checksum does not match" in caplog.text


def test_a_worker_passes_over_what_the_one_before_died_of_until_it_was_tried_out(
    versions: tuple[ModelVersion, ModelVersion], model_dir: Path
) -> None:
    first, second = versions
    loader = Loader()
    before = loader.get(first)
    loader.in_background = True
    die_loading(model_dir / second.directory)
    assert loader.get(second) is before
    # Nothing is wrong with it: the process that died was ended by somebody else.
    until(lambda: directory(loader, second) == second.directory)
    assert not has_died_of(model_dir / second.directory)


def test_what_fails_its_trial_stays_passed_over_and_says_why(
    versions: tuple[ModelVersion, ModelVersion], model_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _first, second = versions
    folder = model_dir / second.directory
    flip(folder / "term.genre.indices.npy")
    die_loading(folder)
    assert "term.genre.indices.npy: checksum does not match" in survives(folder)
    with caplog.at_level(logging.ERROR, logger="recommender.lifecycle.loading"):
        assert Loader().get(second) is None
    assert "term.genre.indices.npy" in caplog.text
    assert has_died_of(folder)


def test_an_error_nobody_thought_of_counts_as_unusable(
    versions: tuple[ModelVersion, ModelVersion], model_dir: Path
) -> None:
    _first, second = versions
    manifest = model_dir / second.directory / "manifest.json"
    content = json.loads(manifest.read_text())
    del content["sha256"], content["metadata"]["regions"]
    manifest.write_text(json.dumps(content))
    assert Loader().get(second) is None


def test_retrain_if_needed_replaces_what_is_damaged(
    versions: tuple[ModelVersion, ModelVersion], model_dir: Path
) -> None:
    _first, second = versions
    assert retrain(if_needed=True).version is None
    flip(model_dir / second.directory / "term.genre.weight.npy")
    assert retrain(if_needed=True).version is not None


def test_pages_that_need_no_model_are_made_without_one(
    versions: tuple[ModelVersion, ModelVersion], model_dir: Path, client: Client
) -> None:
    for version in versions:
        flip(model_dir / version.directory / "term.genre.indices.npy")
    client.force_login(make_user())
    song = Track.objects.order_by("pk").first()
    assert song is not None
    pages = ["/songs/", "/search/?q=song", f"/songs/{song.pk}/", "/ratings/", "/history/", "/playlists/", "/"]
    assert {page: client.get(page, follow=True).status_code for page in pages} == dict.fromkeys(pages, 200)
    assert client.post(f"/songs/{song.pk}/rate/", {"value": "1"}).status_code == 302
