"""The import contracts hold: what they forbid, put into a copy of the code, is caught; and the engine stays small."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

PACKAGES = ("spotify_rec", "recommender", "feedback", "catalog", "accounts", "jobs")
# threadpoolctl is scikit-learn's own way to keep the libraries below it to one thread.
ENGINE_MAY_IMPORT = {"numpy", "scipy", "sklearn", "threadpoolctl", "recommender"} | set(sys.stdlib_module_names)


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run([program, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    for package in PACKAGES:
        python_only = shutil.ignore_patterns("tests", "migrations", "static", "templates", "assets", "__pycache__")
        shutil.copytree(settings.BASE_DIR / package, tmp_path / package, ignore=python_only)
    shutil.copy(settings.BASE_DIR / "pyproject.toml", tmp_path)
    return tmp_path


def add_lines(house: Path, lines: dict[str, str]) -> None:
    """Add a line to each of these modules."""
    for module, line in lines.items():
        with (house / module).open("a") as file:
            file.write(f"\n{line}\n")


def test_the_house_as_it_is_keeps_the_law(house: Path) -> None:
    done = lint_imports(house)

    assert done.returncode == 0, done.stdout
    assert "Contracts: 10 kept, 0 broken." in done.stdout


def test_forbidden_imports_are_caught(house: Path) -> None:
    forbidden = {
        "jobs/apps.py": "import accounts.models",
        "accounts/apps.py": "import catalog.models",
        "catalog/apps.py": "from feedback import models",
        "feedback/apps.py": "import recommender.models\nimport spotipy",
        "recommender/apps.py": "import spotify_rec.settings",
        "recommender/engine/__init__.py": "import recommender.models",
    }
    add_lines(house, forbidden)

    done = lint_imports(house)

    assert done.returncode == 1
    caught = re.findall(r"^(\S+) is not allowed to import (\S+):$", done.stdout, re.MULTILINE)
    assert {
        ("jobs", "accounts"),
        ("accounts", "catalog"),
        ("catalog", "feedback"),
        ("feedback", "recommender"),
        ("feedback", "spotipy"),
        ("recommender", "spotify_rec"),
        ("recommender.engine", "django"),
    } <= set(caught)


def test_forbidden_imports_between_rooms_are_caught(house: Path) -> None:
    forbidden = {
        "feedback/ratings/selectors.py": "import feedback.plays.models",
        "feedback/player/state.py": "import feedback.playlists.views",
        "feedback/onboarding/services.py": "import feedback.preferences.forms",
        "feedback/plays/exports.py": "import feedback.ratings.api",
        "jobs/registry.py": "import jobs.running",
    }
    add_lines(house, forbidden)

    done = lint_imports(house)

    assert done.returncode == 1
    assert "feedback.ratings is not allowed to import feedback.plays:" in done.stdout
    caught = re.findall(r"^- (\S+) -> (\S+) \(l\.\d+\)$", done.stdout, re.MULTILINE)
    assert {
        ("feedback.player.state", "feedback.playlists.views"),
        ("feedback.onboarding.services", "feedback.preferences.forms"),
        ("feedback.plays.exports", "feedback.ratings.api"),
    } <= set(caught)
    assert "No cycles are allowed in jobs." in done.stdout


def test_rooms_of_the_recommender_are_kept_apart(house: Path) -> None:
    forbidden = {
        "recommender/adapters/loaded.py": "import recommender.lifecycle.versions",
        "recommender/operators/charts.py": "import recommender.pages.feed",
        "recommender/scale/faiss_index.py": "import recommender.adapters.catalogue",
        "recommender/pages/radio.py": "import recommender.pages.views.similar\nimport recommender.engine.model",
        "recommender/lifecycle/validation.py": "import recommender.engine.evaluation.protocol",
        "recommender/engine/terms/artist.py": "import recommender.engine.serving.mmr",
    }
    add_lines(house, forbidden)

    done = lint_imports(house)

    assert done.returncode == 1
    assert "Contracts: 6 kept, 4 broken." in done.stdout
    caught = set(re.findall(r"^- *(\S+) -> (\S+)", done.stdout, re.MULTILINE))
    assert {
        ("recommender.adapters.loaded", "recommender.lifecycle.versions"),
        ("recommender.operators.charts", "recommender.pages.feed"),
        ("recommender.scale.faiss_index", "recommender.adapters.catalogue"),
        ("recommender.pages.radio", "recommender.pages.views.similar"),
        ("recommender.pages.radio", "recommender.engine.model"),
        ("recommender.lifecycle.validation", "recommender.engine.evaluation.protocol"),
        ("recommender.engine.terms.artist", "recommender.engine.serving.mmr"),
    } <= caught


def test_a_new_module_belongs_into_a_room(house: Path) -> None:
    (house / "recommender" / "more.py").write_text('"""In no room."""\n')

    done = lint_imports(house)

    assert done.returncode == 1
    assert "Contracts: 9 kept, 1 broken." in done.stdout


def test_the_engine_imports_numbers_and_nothing_else() -> None:
    strangers = []
    for path in Path(settings.BASE_DIR, "recommender", "engine").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            strangers += [
                f"{path.name}: {name}"
                for name in names
                if name.split(".")[0] not in ENGINE_MAY_IMPORT
                or (name.startswith("recommender") and not name.startswith("recommender.engine"))
            ]

    assert strangers == []
