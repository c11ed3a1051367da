"""`make audit AUDIT_DATABASE=...`: the lock file against an offline copy of the advisory database."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from django.conf import settings


def audit(folder: Path, *advisories: dict[str, object]) -> subprocess.CompletedProcess[str]:
    database, lock = folder / "all.zip", folder / "requirements.txt"
    with zipfile.ZipFile(database, "w") as archive:
        for number, advisory in enumerate(advisories):
            archive.writestr(f"X-{number}.json", json.dumps(advisory))
    lock.write_text("django-ninja==1.7.1 \\\n    --hash=sha256:00\nPyYAML==6.0.1 ; python_version < '4'\n")
    program = Path(settings.BASE_DIR) / ".ci" / "audit_offline.py"
    return subprocess.run(
        [sys.executable, str(program), str(database), str(lock)], capture_output=True, text=True, check=False
    )


def about(name: str, *versions: str, **more: object) -> dict[str, object]:
    package = {"ecosystem": "PyPI", "name": name}
    return {"id": f"X-{name}", "affected": [{"package": package, "versions": list(versions)}], **more}


@pytest.mark.parametrize(
    ("advisory", "status", "output"),
    [
        (about("Django_Ninja", "1.7.0", "1.7.1"), 1, "django-ninja 1.7.1: X-Django_Ninja\n"),
        (about("pyyaml", "6.0.1", summary="runs code"), 1, "pyyaml 6.0.1: X-pyyaml runs code\n"),
        (about("pyyaml", "6.0.0"), 0, "2 packages, no known vulnerability in "),
        (about("pyyaml", "6.0.1", withdrawn="2026-01-01T00:00:00Z"), 0, "2 packages, no known vulnerability in "),
    ],
)
def test_what_is_known_is_told(tmp_path: Path, advisory: dict[str, object], status: int, output: str) -> None:
    run = audit(tmp_path, advisory)

    assert (run.returncode, run.stderr) == (status, "")
    assert run.stdout.startswith(output)


def test_an_empty_database_is_no_good_news(tmp_path: Path) -> None:
    assert "holds no advisory" in audit(tmp_path).stderr
