"""Every test has a model folder of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from recommender.lifecycle.versions import forget_loaded


@pytest.fixture(autouse=True)
def model_dir(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    settings.MODEL_DIR = tmp_path / "models"
    forget_loaded()
    yield settings.MODEL_DIR
    forget_loaded()
