"""`make release`: what was unreleased gets a version, a date and a tag, or nothing changes at all."""

import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings

MAKEFILE = """check:
\t@echo checked
dist:
\t@mkdir -p dist
\t@sed -n 's/^version = "\\(.*\\)"/dist\\/earworm_music-\\1/p' pyproject.toml | xargs -I% touch %.tar.gz %.whl
"""
CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A door.\n\n## [0.1.0] - 2026-11-29\n\n- A house.\n"
pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


def git(folder: Path, *arguments: str) -> str:
    names = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    done = subprocess.run(["git", *names, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with a project in it, whose checks pass."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "earworm-music"\nversion = "0.1.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / "Makefile").write_text(MAKEFILE)
    (tmp_path / ".gitignore").write_text("dist/\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "config", "user.name", "Ada")
    git(tmp_path, "config", "user.email", "ada@example.org")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "Begin")
    return tmp_path


def release(project: Path, version: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(settings.BASE_DIR / ".ci" / "release.py"), version]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)


@pytest.mark.usefixtures("real_clock")
def test_a_release(project: Path) -> None:
    done = release(project, "0.2.0")

    assert done.stderr == ""
    assert done.stdout.split() == ["v0.2.0", "dist/earworm_music-0.2.0.tar.gz", "dist/earworm_music-0.2.0.whl"]
    today = datetime.now(UTC).date().isoformat()
    expected = CHANGELOG.replace("## [Unreleased]\n", f"## [Unreleased]\n\n## [0.2.0] - {today}\n")
    assert (project / "CHANGELOG.md").read_text() == expected
    assert 'version = "0.2.0"' in (project / "pyproject.toml").read_text()
    assert git(project, "log", "-1", "--format=%s", "v0.2.0") == "Release 0.2.0\n"
    assert git(project, "rev-parse", "v0.2.0^{commit}") == git(project, "rev-parse", "HEAD")
    assert git(project, "tag", "-n9", "v0.2.0").split("\n")[-2].strip() == "- A door."
    assert git(project, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("0.1.0", "release: 0.1.0 is not above 0.1.0"),
        ("0.0.9", "release: 0.0.9 is not above 0.1.0"),
        ("2", "release: '2' is no version such as 0.2.0"),
    ],
)
def test_a_version_that_does_not_follow(project: Path, version: str, message: str) -> None:
    done = release(project, version)

    assert (done.returncode, done.stderr.strip()) == (1, message)
    assert git(project, "status", "--porcelain") == ""


def test_nothing_to_release(project: Path) -> None:
    assert release(project, "0.2.0").returncode == 0

    done = release(project, "0.3.0")

    assert done.stderr == "release: CHANGELOG.md: nothing stands under [Unreleased]\n"
    assert git(project, "tag") == "v0.2.0\n"


def test_checks_that_fail_leave_all_as_it_was(project: Path) -> None:
    (project / "Makefile").write_text(MAKEFILE.replace("@echo checked", "false"))
    git(project, "commit", "-q", "-a", "-m", "Break")

    done = release(project, "0.2.0")

    assert done.returncode == 1
    assert (project / "CHANGELOG.md").read_text() == CHANGELOG
    assert git(project, "status", "--porcelain") == git(project, "tag") == ""


def test_changes_that_are_not_committed(project: Path) -> None:
    (project / "CHANGELOG.md").write_text(CHANGELOG + "- Mine.\n")

    assert release(project, "0.2.0").stderr == "release: there are changes that are not committed (git status)\n"


def test_the_projects_own_changelog_can_be_released() -> None:
    versions = [
        line.split("]")[0].removeprefix("## [")
        for line in (settings.BASE_DIR / "CHANGELOG.md").read_text().splitlines()
        if line.startswith("## ")
    ]
    assert versions[0] == "Unreleased"
    assert versions[-1] == "0.1.0"
    assert sorted(versions[1:], reverse=True) == versions[1:]
