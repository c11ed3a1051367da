"""The wheel, installed into an empty environment outside the checkout, is the whole site."""

import os
import re
import shutil
import socket
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from tests.site_visit import Visitor, visit

pytestmark = [
    pytest.mark.skipif(shutil.which("git") is None, reason="copies what git knows of the checkout"),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="has a database of its own, once is enough"),
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of the checkout, as ``make dist`` does."""
    copy, target = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("dist")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=settings.BASE_DIR,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (source := settings.BASE_DIR / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy / name)
    shutil.copytree(settings.VENDOR_DIR, copy / "var" / "vendor")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(build, cwd=copy, capture_output=True, check=True)
    return next(target.glob("earworm_music-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into an empty environment and return the folder of its programs.

    What it depends on comes from this environment by a path file, after its own: the checkout is on no path.
    """
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False)
    programs = folder / "bin"
    [packages] = folder.glob("lib/python*/site-packages")
    pip = [sys.executable, "-m", "pip", "--python", str(programs / "python"), "--quiet", "--no-cache-dir"]
    subprocess.run([*pip, "install", "--no-deps", "--no-index", str(wheel)], check=True)
    (packages / "dependencies.pth").write_text(next(path for path in sys.path if path.endswith("site-packages")) + "\n")
    return programs


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "EARWORM_HOME": str(tmp_path / "home")}


@pytest.fixture
def demo(
    installed: Path, port: int, tmp_path: Path, environment: dict[str, str]
) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    log = tmp_path / "demo.log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [installed / "earworm", "demo", "--port", str(port)],
            cwd=tmp_path,
            env=environment,
            stdout=stream,
            stderr=subprocess.STDOUT,
            text=True,
        )
    yield process, log
    process.terminate()
    process.wait(timeout=120)


def test_the_demo_runs_without_a_checkout(
    demo: tuple[subprocess.Popen[str], Path], port: int, environment: dict[str, str]
) -> None:
    process, log = demo
    address = f"http://127.0.0.1:{port}/"
    try:
        Visitor(address).wait(300, is_alive=lambda: process.poll() is None)
    except TimeoutError:
        pytest.fail(log.read_text())
    [password] = re.findall(r"Listener: +listener +password +(\S+)", log.read_text())

    seen = visit(address, username="listener", password=password)

    assert [line.split(":")[0] for line in seen[2:4]] == ["/static/vendor/bootstrap.min.css", "/static/site/site.css"]
    assert seen[-1].endswith("liked")
    process.terminate()
    assert process.wait(timeout=120) == 0
    home = Path(environment["EARWORM_HOME"])
    assert (home / "db.sqlite3").is_file()
    assert len([path for path in (home / "models").glob("*/manifest.json") if ".twin" not in str(path)]) == 1


def run(installed: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [str(installed / arguments[0]), *arguments[1:]]
    return subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False)


def test_it_is_not_the_checkout_that_runs(installed: Path, environment: dict[str, str]) -> None:
    code = "import jobs, spotify_rec.settings as s; print(s.__file__, jobs.__file__, s.BASE_DIR, s.HOME_DIR)"

    done = run(installed, "python", "-c", code, **environment)

    packages, home = installed.parent / "lib", environment["EARWORM_HOME"]
    *code_places, settings_home = done.stdout.split()
    assert all(path.startswith(str(packages)) for path in code_places), done.stderr
    assert (len(code_places), settings_home) == (3, home)


def test_without_a_home_the_users_data_folder_is_taken(installed: Path, tmp_path: Path) -> None:
    code = "from spotify_rec import places; print(places.HOME_DIR, places.VAR_DIR)"

    done = run(installed, "python", "-c", code, HOME=str(tmp_path), XDG_DATA_HOME=str(tmp_path / "data"))

    assert done.stdout.split() == [str(tmp_path / "data" / "earworm")] * 2


def test_a_home_that_cannot_be_written_to_is_said_in_one_line(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    done = run(installed, "earworm", "check", HOME=str(tmp_path), EARWORM_HOME=str(tmp_path / "file" / "home"))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"earworm: no place to keep anything: [Errno 20] Not a directory: '{tmp_path}/file/home' "
        "(EARWORM_HOME names another)\n"
    )


def test_the_env_file_lies_in_the_home(installed: Path, environment: dict[str, str]) -> None:
    home = Path(environment["EARWORM_HOME"])
    home.mkdir()
    (home / ".env").write_text("SITE_NAME=Of the home\nMODEL_DIR=elsewhere\n")
    code = "import spotify_rec.settings as s; print(s.SITE_NAME, s.MODEL_DIR, sep='|')"

    done = run(installed, "python", "-c", code, **environment)

    assert done.stdout == f"Of the home|{home}/elsewhere\n"


def test_the_wheel_has_everything_and_no_tests(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())

    listed = subprocess.run(["git", "ls-files", "-z"], cwd=settings.BASE_DIR, capture_output=True, check=True)
    tracked = [name for name in listed.stdout.decode().split("\0") if name and (settings.BASE_DIR / name).exists()]
    packages = ("accounts/", "catalog/", "feedback/", "jobs/", "recommender/", "spotify_rec/")
    expected = {name for name in tracked if name.startswith(packages) and "/tests/" not in name}
    expected |= {
        f"spotify_rec/bundle/{name}" for name in tracked if name.startswith(("templates/", "locale/", "fixtures/"))
    }
    expected.add("spotify_rec/bundle/var/vendor/vendor/bootstrap.min.css")
    assert expected - names == set()
    assert [name for name in names if "/tests/" in name or name.startswith("tests/")] == []
