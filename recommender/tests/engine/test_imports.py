"""The engine stands alone: it must load without Django and without anything else of the project."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
import recommender.engine, recommender.engine.evaluation.protocol
ours = {name for name in sys.modules if name.split(".")[0] in {"accounts", "catalog", "feedback", "spotify_rec"}}
ours |= {name for name in sys.modules if name.startswith("recommender.") and not name.startswith("recommender.engine")}
print(sorted(ours | ({"django", "pandas", "requests"} & set(sys.modules))))
"""


def test_needs_neither_django_nor_the_rest_of_the_project() -> None:
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
