"""What the tests of the analysis need."""

import pytest

from catalog.sound.analyser import missing_tools
from conftest import missing


@pytest.fixture
def tools() -> None:
    """Skip the test where sonara or ffmpeg is missing."""
    if names := missing_tools():
        missing(f"no {' and '.join(names)} on this machine", required_by="REQUIRE_SOUND")
