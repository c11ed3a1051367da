"""Make a release: ``make release VERSION=0.2.0``.

The changelog's [Unreleased] section becomes the version's, pyproject.toml gets its number, ``make check`` and ``make
dist`` have to pass, and then it is committed and tagged. Whatever fails leaves everything as it was. Nothing is
published: push the tag and upload ``dist/`` by hand.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

UNRELEASED = "## [Unreleased]\n"
CHANGED = ("CHANGELOG.md", "pyproject.toml")
_NUMBER = re.compile(r"(\d+)\.(\d+)\.(\d+)")


class ReleaseError(Exception):
    """The release cannot be made; the message says why."""


def numbers(version: str) -> tuple[int, ...]:
    """Return the three numbers of ``version``. Raise ``ReleaseError`` where it is none."""
    match = _NUMBER.fullmatch(version)
    if match is None:
        raise ReleaseError(f"{version!r} is no version such as 0.2.0")
    return tuple(map(int, match.groups()))


def with_section(changelog: str, version: str, date: str) -> tuple[str, str]:
    """Return the changelog with what was unreleased under ``version``, and that section's text.

    Raises ``ReleaseError`` where nothing is unreleased.
    """
    head, mark, rest = changelog.partition(UNRELEASED)
    if not mark:
        raise ReleaseError("CHANGELOG.md has no section [Unreleased]")
    section = rest.partition("\n## [")[0].strip()
    if not re.search(r"^- ", section, re.MULTILINE):
        raise ReleaseError("CHANGELOG.md: nothing stands under [Unreleased]")
    return f"{head}{mark}\n## [{version}] - {date}\n{rest}", section


def with_version(project: str, version: str) -> str:
    """Return pyproject.toml's text with ``version``. Raise ``ReleaseError`` unless that is above the present one."""
    match = re.search(r'^version = "([^"]+)"$', project, re.MULTILINE)
    if match is None:
        raise ReleaseError("pyproject.toml has no version")
    if numbers(version) <= numbers(match[1]):
        raise ReleaseError(f"{version} is not above {match[1]}")
    return project[: match.start(1)] + version + project[match.end(1) :]


def run(*command: str) -> str:
    """Run a program and return what it prints. Raise ``ReleaseError`` where it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise ReleaseError(f"{' '.join(command)} did not succeed\n{done.stdout[-4000:]}")
    return done.stdout


def release(version: str) -> list[str]:
    """Make the release in this folder and return what was made."""
    tag = f"v{version}"
    if run("git", "status", "--porcelain"):
        raise ReleaseError("there are changes that are not committed (git status)")
    if run("git", "tag", "--list", tag):
        raise ReleaseError(f"{tag} is there already")
    date = datetime.now(UTC).date().isoformat()
    project = with_version(Path("pyproject.toml").read_text(), version)
    changelog, section = with_section(Path("CHANGELOG.md").read_text(), version, date)
    try:
        Path("pyproject.toml").write_text(project)
        Path("CHANGELOG.md").write_text(changelog)
        run("make", "check", "dist")
        made = sorted(Path("dist").iterdir())
        if len(made) != 2 or not all(f"-{version}" in path.name for path in made):
            raise ReleaseError(f"dist/ holds {', '.join(path.name for path in made) or 'nothing'}")
        run("git", "commit", "-q", "-m", f"Release {version}", "--", *CHANGED)
    except BaseException:
        run("git", "checkout", "-q", "--", *CHANGED)
        raise
    # Headings of the section begin with the sign that git takes for a comment's.
    run("git", "tag", "-a", "--cleanup=whitespace", tag, "-m", f"Earworm {version}", "-m", section)
    return [tag, *map(str, made)]


def main() -> None:
    """Make the release that the command line names."""
    parser = argparse.ArgumentParser(description="Make a release.")
    parser.add_argument("version")
    try:
        for made in release(parser.parse_args().version):
            print(made)
    except ReleaseError as error:
        sys.exit(f"release: {error}")


if __name__ == "__main__":
    main()
