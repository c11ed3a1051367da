"""Write the scores of the stored model anew, after a change that is meant to alter them.

    python -m recommender.tests.engine.stored.rescore

The model itself stays: it stands for those that earlier releases wrote.
"""

from __future__ import annotations

import json
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from recommender.engine import Feedback, FeedbackKind, Model, Request, load_model, recommend
from recommender.engine.rank import rank
from recommender.engine.score import score

FOLDER = Path(__file__).parent
SCORES = FOLDER / "scores.json"


def open_stored(folder: Path) -> Model:
    """Unpack the stored model into `folder` and open it."""
    with tarfile.open(FOLDER / "model.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return load_model(folder / "model", verify=True)


def scores_of(model: Model, listener: dict[str, Any]) -> dict[str, Any]:
    """Return what one listener is given: first-stage scores of all songs, ranked candidates and a page."""
    kinds = [FeedbackKind[name] for name in listener["kinds"]]
    feedback = Feedback(
        rows=np.array(listener["rows"], dtype=np.int32),
        kind=np.array(kinds, dtype=np.int32),
        count=np.ones(len(kinds), dtype=np.float32),
        age_days=np.array(listener["age_days"], dtype=np.float32),
        region=listener["region"],
    )
    profile = model.listener(feedback)
    ranked = rank(model, profile, model.catalogue.active)
    page = recommend(model, feedback, Request(k=6), np.random.default_rng(0))
    return {
        "first_stage": score(model, profile).total.tolist(),
        "ranked_rows": ranked.rows.tolist(),
        "ranked_scores": ranked.scores.tolist(),
        "page": [item.track_id for item in page.items],
    }


if __name__ == "__main__":
    listeners = json.loads(SCORES.read_text())
    with tempfile.TemporaryDirectory() as name:
        stored = open_stored(Path(name))
        scored = [listener | scores_of(stored, listener) for listener in listeners]
        SCORES.write_text(json.dumps(scored, indent=0) + "\n")
