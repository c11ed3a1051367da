"""What a listener turned up, down or off changes its own part of the scores, exactly, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from recommender.engine import Adjustments, EngineConfig, Feedback, Interactions, InvalidDataError, Model
from recommender.engine.data.arrays import FloatArray
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.rank import rank
from recommender.engine.ranking.exclusions import allowed_rows, known_rows
from recommender.engine.score import score
from recommender.engine.terms import no_progress
from recommender.engine.terms.audio import AudioTerm
from recommender.tests.engine.build import COLUMNS, random_catalogue


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int32)


def floats(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def listeners(model: Model, feedback: Feedback, adjustments: Adjustments) -> tuple[ListenerProfile, ListenerProfile]:
    return model.listener(feedback), model.listener(replace(feedback, adjustments=adjustments))


def part_of(model: Model, listener: ListenerProfile, term: str, index: int, kind: str = "") -> FloatArray:
    """What one artist or genre adds to the term's score of every track."""
    everything = np.arange(model.catalogue.n_tracks, dtype=np.int32)
    causes = model.terms[term].explain(listener, everything)
    what = kind or term
    return floats(*(sum(c.value for c in matches if (c.kind, c.index) == (what, index)) for matches in causes))


@pytest.mark.parametrize("factor", [0.0, 0.5, 2.0])
@pytest.mark.parametrize(("term", "index"), [("artist", 5), ("genre", 1)])
def test_the_terms_score_changes_by_exactly_that_part(
    model: Model, feedback: Feedback, term: str, index: int, factor: float
) -> None:
    columns: dict[str, Any] = {f"{term}s": ints(index), f"{term}_factors": floats(factor)}
    # A stated artist speaks for genres and sound, too.
    feedback = feedback if term == "artist" else replace(feedback, artists=ints())
    plain, adjusted = listeners(model, feedback, Adjustments(**columns))
    part = part_of(model, plain, term, index)
    change = model.terms[term].score(adjusted) - model.terms[term].score(plain)
    np.testing.assert_allclose(change, (factor - 1.0) * part, atol=1e-6)
    assert part.any()
    for name, other in model.terms.items():
        if term == "artist" and name in ("genre", "audio"):
            by_artist = part_of(model, plain, name, index, "artist")
            assert by_artist.any()
            np.testing.assert_allclose(other.score(adjusted) - other.score(plain), (factor - 1) * by_artist, atol=1e-6)
        elif name != term:
            assert other.score(adjusted).tolist() == other.score(plain).tolist()


@pytest.mark.parametrize("factor", [0.5, 2.0])
@pytest.mark.parametrize("feature", ["tempo", "key"])
def test_a_feature_changes_the_audio_term_in_proportion(
    model: Model, feedback: Feedback, feature: str, factor: float
) -> None:
    plain, adjusted = listeners(model, feedback, Adjustments(features={feature: factor}))
    _plain, without = listeners(model, feedback, Adjustments(features={feature: 0.0}))
    audio = model.terms["audio"]
    part = audio.score(plain) - audio.score(without)
    np.testing.assert_allclose(audio.score(adjusted) - audio.score(plain), (factor - 1.0) * part, atol=1e-6)
    assert part.any()


@pytest.mark.parametrize("feature", ["tempo", "energy", "key"])
def test_of_a_feature_turned_off_nothing_is_left(feature: str) -> None:
    catalogue = random_catalogue(40)
    features = catalogue.features.copy()
    features[np.isnan(features)] = 0.5
    features[21] = features[20]
    features[21, COLUMNS.index(feature)] = 0.9 if feature != "key" else (features[20, COLUMNS.index(feature)] + 5) % 12
    audio = AudioTerm.fit(
        replace(catalogue, features=features),
        Interactions.empty(),
        EngineConfig().terms,
        np.random.default_rng(0),
        no_progress,
    )
    feedback = Feedback.likes([3, 5, 9])
    plain = ListenerProfile.from_feedback(feedback, EngineConfig().feedback)
    off = ListenerProfile.from_feedback(
        replace(feedback, adjustments=Adjustments(features={feature: 0.0})), EngineConfig().feedback
    )
    assert abs(float(audio.score(plain)[20] - audio.score(plain)[21])) > 1e-4
    assert float(audio.score(off)[20]) == pytest.approx(float(audio.score(off)[21]), abs=1e-6)
    [causes] = audio.explain(off, ints(20))
    assert sum(cause.value for cause in causes) == pytest.approx(float(audio.score(off)[20]), abs=1e-5)


def test_without_any_feature_the_audio_term_is_silent(model: Model, feedback: Feedback) -> None:
    _plain, silent = listeners(model, feedback, Adjustments(features=dict.fromkeys(COLUMNS, 0.0)))
    assert not model.terms["audio"].score(silent).any()


def test_the_blend_changes_in_songs_of_that_genre_alone_by_that_part(model: Model, feedback: Feedback) -> None:
    adjustments = Adjustments(genres=ints(1), genre_factors=floats(2.0))
    plain, adjusted = listeners(model, replace(feedback, artists=ints()), adjustments)
    before, after = score(model, plain), score(model, adjusted)
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
    few[rank(model, plain, allowed).rows[:30]] = True  # no more than there are candidates, so that all of them are
    before, after = rank(model, plain, few), rank(model, adjusted, few)
    rows = np.sort(before.rows)
    assert rows.tolist() == np.sort(after.rows).tolist()
    changed = 0
    for old, new in zip(before.contributions(rows), after.contributions(rows), strict=True):
        different = [name for name in old if new[name] != pytest.approx(old[name], abs=1e-5)]
        assert set(different) <= {"artist", "audio", "genre"}
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
