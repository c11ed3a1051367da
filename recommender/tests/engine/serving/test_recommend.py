from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recommender.engine import (
    EngineConfig,
    Feedback,
    FeedbackKind,
    Interactions,
    InvalidDataError,
    Model,
    Request,
    fit_model,
    recommend,
    similar,
)
from recommender.engine.rank import rank
from recommender.engine.ranking.blend import standardise
from recommender.engine.ranking.exclusions import allowed_rows, known_rows
from recommender.engine.ranking.ranked import RankedCandidates
from recommender.engine.serving.policy import ADJUSTMENTS
from recommender.tests.engine.build import feedback_of, make_catalogue

RNG = np.random.default_rng(0)


def ranked(model: Model, feedback: Feedback) -> RankedCandidates:
    allowed = allowed_rows(model.catalogue, excluded=known_rows(feedback, model.config))
    return rank(model, model.listener(feedback), allowed)


def test_a_page_is_sorted_numbered_and_carries_the_callers_ids(model: Model, feedback: Feedback) -> None:
    page = recommend(model, feedback, Request(k=7), RNG)
    scores = [item.score for item in page.items]
    assert len(page.items) == 7
    assert scores == sorted(scores, reverse=True)
    assert [item.position for item in page.items] == list(range(7))
    assert [item.track_id for item in page.items] == [int(model.catalogue.track_ids[item.row]) for item in page.items]
    assert page.policy == "greedy"
    assert {item.propensity for item in page.items} == {1.0}


def test_contributions_of_every_song_add_up_to_its_score(model: Model, feedback: Feedback) -> None:
    totals = ranked(model, feedback).total
    for item in recommend(model, feedback, Request(k=50), RNG).items:
        assert sum(item.contributions.values()) == item.score
        by_terms = item.score - sum(item.contributions.get(name, 0.0) for name in ADJUSTMENTS)
        assert by_terms == pytest.approx(float(totals[item.row]), abs=1e-5)


def test_no_song_that_is_known_hidden_or_excluded(model: Model, feedback: Feedback) -> None:
    everything = model.catalogue.n_tracks
    first = recommend(model, feedback, Request(k=3), RNG)
    excluded = np.array([item.row for item in first.items], dtype=np.int32)
    rows = {item.row for item in recommend(model, feedback, Request(k=everything, excluded=excluded), RNG).items}
    recordings = {int(model.catalogue.recording[row]) for row in rows}
    for row in (30, 31, 40, *excluded.tolist()):
        assert int(model.catalogue.recording[row]) not in recordings
    assert model.catalogue.active[list(rows)].all()
    assert len(recordings) == len(rows)


def test_explicit_songs_only_where_allowed(model: Model, feedback: Feedback) -> None:
    every = [
        [model.catalogue.explicit[item.row] for item in recommend(model, feedback, request, RNG).items]
        for request in (Request(k=60), Request(k=60, explicit_allowed=False))
    ]
    assert any(every[0])
    assert not any(every[1])


def test_the_same_request_gives_the_same_page(model: Model, feedback: Feedback) -> None:
    pages = [recommend(model, feedback, Request(k=20), np.random.default_rng(seed)) for seed in (1, 2)]
    assert pages[0] == pages[1]


def test_a_like_brings_the_artist_and_a_dislike_takes_it_away() -> None:
    model = fit_model(
        make_catalogue([[artist // 4] for artist in range(80)]), Interactions.empty(), EngineConfig(), RNG
    )
    liked = recommend(model, Feedback.likes([8]), Request(k=4), RNG)
    assert [item.row for item in liked.items][:2] == [9, 10]
    for item in liked.items[:2]:
        assert [(reason.term, reason.causes[0].index, reason.causes[0].tracks) for reason in item.reasons] == [
            ("artist", 2, (8,))
        ]
    disliked = recommend(model, feedback_of((8, FeedbackKind.DISLIKE, 1, 0)), Request(k=38), RNG)
    assert {9, 10, 11}.isdisjoint(item.row for item in disliked.items)
    assert len(disliked.items) == 38


def test_reasons_are_the_largest_contributions_and_their_causes_recompute(model: Model, feedback: Feedback) -> None:
    model = replace(model, ranker=None)
    listener = model.listener(feedback)
    weights = model.weights.at(listener.evidence)
    reasons = [
        (item, reason) for item in recommend(model, feedback, Request(k=20), RNG).items for reason in item.reasons
    ]
    assert len(reasons) >= 20
    for item, reason in reasons:
        term = model.terms[reason.term]
        scores = term.score(listener)
        expected = weights[reason.term] * standardise(scores.copy(), term.sqrt_transform)[item.row]
        assert reason.contribution == pytest.approx(float(expected), rel=1e-4)
        assert reason.contribution == item.contributions[reason.term] > 0
        every = term.explain(listener, np.array([item.row], dtype=np.int32))[0]
        assert sum(cause.value for cause in every) == pytest.approx(float(scores[item.row]), rel=1e-4)
        values = {(cause.kind, cause.index, cause.tracks): cause.value for cause in every}
        for cause in reason.causes:
            assert cause.value == pytest.approx(values[cause.kind, cause.index, cause.tracks], rel=1e-4)
        assert [cause.value for cause in reason.causes] == sorted(
            (cause.value for cause in reason.causes), reverse=True
        )


def test_reasons_are_ordered_and_limited(model: Model, feedback: Feedback) -> None:
    for item in recommend(model, feedback, Request(k=20), RNG).items:
        shares = [reason.contribution for reason in item.reasons]
        assert shares == sorted(shares, reverse=True)
        assert len(shares) <= model.config.page.max_reasons
        assert all(1 <= len(reason.causes) <= model.config.page.max_causes for reason in item.reasons)


def test_a_new_listener_gets_what_is_popular(model: Model) -> None:
    page = recommend(model, Feedback(), Request(k=5), RNG)
    popular = model.terms["popularity"].score(model.listener(Feedback()))
    allowed = np.where(model.catalogue.active, popular, -np.inf)
    assert page.items[0].row == int(allowed.argmax())
    assert {reason.term for item in page.items for reason in item.reasons} == {"popularity"}


def test_stated_genres_and_artists_shape_the_first_page() -> None:
    catalogue = make_catalogue([[0], [1], [2], [3]], [[0], [1], [1], [0]])
    model = fit_model(catalogue, Interactions.empty(), EngineConfig(), RNG)
    page = recommend(model, feedback_of(genres=[1], artists=[2]), Request(k=2), RNG)
    assert [item.row for item in page.items] == [2, 1]


def test_pages_of_thin_catalogues_are_empty_or_short() -> None:
    for artists, rows in (([], []), ([[0]], [0])):
        model = fit_model(make_catalogue(artists), Interactions.empty(), EngineConfig(), RNG)
        assert [item.row for item in recommend(model, Feedback(), Request(), RNG).items] == rows


@pytest.mark.parametrize(("field", "value"), [("k", 0), ("adventure", 1.5), ("adventure", float("nan"))])
def test_bad_requests_are_refused(field: str, value: float) -> None:
    with pytest.raises(InvalidDataError, match=field):
        Request(**{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("field", ["excluded", "excluded_artists", "excluded_genres"])
def test_exclusions_outside_the_catalogue_are_refused(model: Model, field: str) -> None:
    request = Request(**{field: np.array([10_000], dtype=np.int32)})  # type: ignore[arg-type]
    with pytest.raises(InvalidDataError, match=f"{field}: 10000"):
        recommend(model, Feedback(), request, RNG)


def test_similar_songs_are_others_by_content() -> None:
    genres = [[0], [0], [1], [1], [0]]
    catalogue = make_catalogue([[0], [1], [2], [3], [0]], genres, recording=np.array([0, 1, 2, 3, 0], dtype=np.int32))
    model = fit_model(catalogue, Interactions.empty(), EngineConfig(), RNG)
    assert [item.row for item in similar(model, 0, 5).items] == [1, 2, 3]


def test_similar_to_a_song_outside_the_catalogue_is_refused(model: Model) -> None:
    with pytest.raises(InvalidDataError, match=r"row: 120\.\.120 outside 0\.\.119"):
        similar(model, 120, 5)
