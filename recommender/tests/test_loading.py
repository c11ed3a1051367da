"""The model in memory: loaded once, and replaced beside the requests."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from recommender.loading import Loader
from recommender.models import ModelVersion
from recommender.tests.builders import make_catalogue
from recommender.training import retrain

pytestmark = pytest.mark.django_db


@pytest.fixture
def versions() -> tuple[ModelVersion, ModelVersion]:
    make_catalogue()
    made = [retrain(force=True).version for _number in range(2)]
    assert made[0] is not None
    assert made[1] is not None
    return made[0], made[1]


def until(is_so: Callable[[], bool]) -> None:
    limit = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < limit, "it did not come to be within 20 s"
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
    with caplog.at_level(logging.ERROR, logger="recommender.loading"):
        assert loader.get(second) is before
        until(lambda: len(caplog.records) == 1)
        for _request in range(20):
            assert loader.get(second) is before
    assert [f"model version {second.pk} cannot be used" in text for text in caplog.messages] == [True]
