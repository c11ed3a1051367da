"""Script modules under production's hashed names."""

import re
from pathlib import Path
from typing import Any

from django.conf import settings as site_settings
from django.core.management import call_command


def test_modules_import_each_other_by_their_hashed_names(settings: Any, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **site_settings.STORAGES,
        "staticfiles": {"BACKEND": "spotify_rec.web.static_files.HashedStaticFilesStorage"},
    }
    call_command("collectstatic", interactive=False, verbosity=0)
    modules = {path.name: path for path in (tmp_path / "player").rglob("*.js")}
    assert modules
    imports = 0
    for path in modules.values():
        for name in re.findall(r'^import .* from "(.+)";$', path.read_text(), re.MULTILINE):
            imports += 1
            assert (path.parent / name).is_file(), f"{path.name}: {name}"
            assert re.search(r"\.[0-9a-f]{12}\.js$", name), f"{path.name}: {name}"
    assert imports > 10
