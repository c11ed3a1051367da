"""`manage.py make_env`: a .env file with keys of its own, which is never written over."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from tests.test_settings import python


def values_of(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([A-Z_]+)=(.*)$", path.read_text(), re.MULTILINE))


def test_for_a_site_behind_a_proxy(settings: Any, tmp_path: Path) -> None:
    settings.HOME_DIR = tmp_path

    call_command("make_env", host="songs.example.org", verbosity=0)

    values = values_of(tmp_path / ".env")
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    assert values["ALLOWED_HOSTS"] == "songs.example.org,localhost,127.0.0.1"
    assert (values["CSRF_TRUSTED_ORIGINS"], values["TRUSTED_PROXY_COUNT"]) == ("https://songs.example.org", "1")
    assert (values["DEBUG"], values["INSECURE_HTTP"], len(values["SECRET_KEY"]) >= 50) == ("false", "false", True)
    Fernet(values["SPOTIFY_TOKEN_KEYS"])
    environment = {"EARWORM_HOME": str(tmp_path), "DATABASE_URL": "sqlite://:memory:"}
    for name in ("DEBUG", "EMAIL_URL", "CSRF_TRUSTED_ORIGINS"):
        # What the file says counts, where the environment says nothing.
        environment[name] = values.get(name, "")
    done = python("manage.py", "check", "--deploy", "--fail-level", "WARNING", **environment)
    assert done.returncode == 0, done.stderr


def test_for_this_machine_alone(settings: Any, tmp_path: Path) -> None:
    settings.HOME_DIR = tmp_path

    call_command("make_env", verbosity=0)

    values = values_of(tmp_path / ".env")
    assert (values["ALLOWED_HOSTS"], values["INSECURE_HTTP"]) == ("localhost,127.0.0.1", "true")
    assert (values["TRUSTED_PROXY_COUNT"], values["SECURE_HSTS_SECONDS"]) == ("0", "0")


def test_one_that_is_there_is_left_alone(settings: Any, tmp_path: Path) -> None:
    settings.HOME_DIR = tmp_path
    (tmp_path / ".env").write_text("SECRET_KEY=mine\n")

    with pytest.raises(CommandError, match="is there already"):
        call_command("make_env")

    assert (tmp_path / ".env").read_text() == "SECRET_KEY=mine\n"


@pytest.mark.skipif(os.geteuid() != 0 or not Path("/proc/1").exists(), reason="writes where nobody may")
def test_a_place_that_cannot_be_written_to(settings: Any) -> None:
    settings.HOME_DIR = Path("/proc/1")

    with pytest.raises(CommandError, match=r"^/proc/1/\.env: "):
        call_command("make_env")
