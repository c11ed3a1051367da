"""What a listener turned up, down or off changes its own part of the scores, exactly, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from recommender.engine import Adjustments, Feedback, InvalidDataError, Model
from recommender.engine.arrays import FloatArray
from recommender.engine.listener import Listener
from recommender.engine.page import allowed_rows, known_rows
from recommender.tests.engine.build import COLUMNS


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int32)


def floats(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def listeners(model: Model, feedback: Feedback, adjustments: Adjustments) -> tuple[Listener, Listener]:
    return model.listener(feedback), model.listener(replace(feedback, adjustments=adjustments))


def part_of(model: Model, listener: Listener, term: str, index: int) -> FloatArray:
    """What one artist or genre adds to the term's score of every track."""
    everything = np.arange(model.catalogue.n_tracks, dtype=np.int32)
    causes = model.terms[term].explain(listener, everything)
    return floats(*(sum(cause.value for cause in found if cause.index == index) for found in causes))


@pytest.mark.parametrize("factor", [0.0, 0.5, 2.0])
@pytest.mark.parametrize(("term", "index"), [("artist", 5), ("genre", 1)])
def test_the_terms_score_changes_by_exactly_that_part(
    model: Model, feedback: Feedback, term: str, index: int, factor: float
) -> None:
    columns: dict[str, Any] = {f"{term}s": ints(index), f"{term}_factors": floats(factor)}
    plain, adjusted = listeners(model, feedback, Adjustments(**columns))
    part = part_of(model, plain, term, index)
    change = model.terms[term].score(adjusted) - model.terms[term].score(plain)
    np.testing.assert_allclose(change, (factor - 1.0) * part, atol=1e-6)
    assert part.any()
    for name, other in model.terms.items():
        if name != term:
            assert other.score(adjusted).tolist() == other.score(plain).tolist()


@pytest.mark.parametrize("factor", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("feature", ["tempo", "key"])
def test_a_feature_changes_its_dimensions_of_the_audio_term(
    model: Model, feedback: Feedback, feature: str, factor: float
) -> None:
    plain, adjusted = listeners(model, feedback, Adjustments(features={feature: factor}))
    audio = model.terms["audio"]
    without_others = Adjustments(features={name: 0.0 for name in COLUMNS if name != feature})
    part = audio.score(model.listener(replace(feedback, adjustments=without_others)))
    np.testing.assert_allclose(audio.score(adjusted) - audio.score(plain), (factor - 1.0) * part, atol=1e-6)
    assert part.any()


def test_the_parts_of_all_features_add_up_to_the_audio_term(model: Model, feedback: Feedback) -> None:
    audio = model.terms["audio"]
    total = np.zeros(model.catalogue.n_tracks, dtype=np.float32)
    for feature in COLUMNS:
        alone = Adjustments(features={name: 0.0 for name in COLUMNS if name != feature})
        total += audio.score(model.listener(replace(feedback, adjustments=alone)))
    np.testing.assert_allclose(total, audio.score(model.listener(feedback)), atol=1e-6)


def test_the_blend_changes_in_songs_of_that_genre_alone_by_that_part(model: Model, feedback: Feedback) -> None:
    plain, adjusted = listeners(model, feedback, Adjustments(genres=ints(1), genre_factors=floats(2.0)))
    before, after = model.score(plain), model.score(adjusted)
    weight = before.weights["genre"] / before.scales["genre"][1]
    expected = weight * part_of(model, plain, "genre", 1)
    assert after.scales == before.scales
    np.testing.assert_allclose(after.total - before.total, expected, atol=1e-5)
    assert (expected == 0).any()
    assert expected.any()


def test_the_final_score_of_a_candidate_changes_by_the_terms_contribution_alone(
    model: Model, feedback: Feedback
) -> None:
    assert model.ranker is not None
    plain, adjusted = listeners(model, feedback, Adjustments(artists=ints(5), artist_factors=floats(0.0)))
    allowed = allowed_rows(model.catalogue, excluded=known_rows(feedback, model.config))
    few = np.zeros_like(allowed)
    few[model.rank(plain, allowed).rows[:30]] = True  # no more than there are candidates, so that all of them are
    before, after = model.rank(plain, few), model.rank(adjusted, few)
    rows = np.sort(before.rows)
    assert rows.tolist() == np.sort(after.rows).tolist()
    changed = 0
    for old, new in zip(before.contributions(rows), after.contributions(rows), strict=True):
        different = [name for name in old if new[name] != pytest.approx(old[name], abs=1e-5)]
        assert different in ([], ["artist"])
        changed += len(different)
    assert changed > 0


def test_off_takes_the_reason_away(model: Model, feedback: Feedback) -> None:
    _plain, adjusted = listeners(model, feedback, Adjustments(artists=ints(5), artist_factors=floats(0.0)))
    everything = np.arange(model.catalogue.n_tracks, dtype=np.int32)
    for causes in model.terms["artist"].explain(adjusted, everything, limit=3):
        assert 5 not in {cause.index for cause in causes}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"artists": ints(1)}, "artist_factors: expected shape"),
        ({"artists": ints(1, 1), "artist_factors": floats(1, 2)}, "artists: must be distinct"),
        ({"genres": ints(1), "genre_factors": floats(-1)}, "genre_factors: must be finite and >= 0"),
        ({"features": {"tempo": float("nan")}}, "features: must be finite and >= 0"),
    ],
)
def test_what_does_not_fit_is_refused(columns: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        Adjustments(**columns)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "adjustments",
    [
        Adjustments(artists=ints(10_000), artist_factors=floats(1)),
        Adjustments(genres=ints(-1), genre_factors=floats(1)),
        Adjustments(features={"smell": 1.0}),
    ],
)
def test_what_the_catalogue_does_not_have_is_refused(
    model: Model, feedback: Feedback, adjustments: Adjustments
) -> None:
    with pytest.raises(InvalidDataError, match="adjusted"):
        model.listener(replace(feedback, adjustments=adjustments))
