"""What every registered term must do; a new term is tested here by being registered."""

from __future__ import annotations

import numpy as np
import pytest

from recommender.engine import Catalogue, EngineConfig, Feedback, Interactions, Model, fit_model
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.ranking.config import BlendConfig
from recommender.engine.score import score
from recommender.engine.terms import TERMS, Cause, LinearTerm, SparseTerm, Term, no_progress
from recommender.tests.engine.build import make_catalogue, random_catalogue


@pytest.fixture(params=sorted(TERMS))
def term(request: pytest.FixtureRequest, model: Model) -> Term:
    return model.terms[request.param]


@pytest.fixture
def listener(model: Model, feedback: Feedback) -> ListenerProfile:
    return model.listener(feedback)


def test_is_registered_under_its_own_name_and_has_a_weight(term: Term) -> None:
    assert TERMS[term.name] is type(term)
    assert term.name in BlendConfig().term_weights


def test_scores_every_track(term: Term, listener: ListenerProfile, catalogue: Catalogue) -> None:
    scores = term.score(listener)
    assert scores.dtype == np.float32
    assert scores.shape == (catalogue.n_tracks,)
    assert np.isfinite(scores).all()


def test_scores_of_some_rows_are_those_of_all(term: Term, listener: ListenerProfile) -> None:
    rows = np.array([7, 0, 31, 5], dtype=np.int32)
    every = term.score(listener)
    assert np.ptp(every[rows]) > 0
    np.testing.assert_allclose(term.score(listener, rows), every[rows], rtol=1e-4, atol=1e-5)


def test_scores_may_be_overwritten(term: Term, listener: ListenerProfile) -> None:
    first = term.score(listener)
    expected = first.copy()
    first.fill(-7.0)
    np.testing.assert_array_equal(term.score(listener), expected)


def test_a_linear_term_says_the_same_of_several_listeners_at_once(
    term: Term, listener: ListenerProfile, model: Model
) -> None:
    others = [model.listener(Feedback.likes(rows)) for rows in ([0], [5, 6, 9])]
    if isinstance(term, LinearTerm):
        expected = [term.score(each) for each in (listener, *others)]
        assert np.abs(expected).max() > 0.0
        np.testing.assert_allclose(term.score_many([listener, *others]), expected, rtol=1e-4, atol=1e-5)


def test_what_a_sparse_term_says_is_each_row_once(term: Term, listener: ListenerProfile) -> None:
    if isinstance(term, SparseTerm):
        opinions = term.sparse_scores(listener)
        assert len(np.unique(opinions.rows)) == len(opinions.rows) > 0
        np.testing.assert_array_equal(opinions.of_all(), term.score(listener))


def test_all_causes_add_up_to_the_score(term: Term, listener: ListenerProfile, catalogue: Catalogue) -> None:
    rows = np.arange(catalogue.n_tracks, dtype=np.int32)
    summed = [sum(cause.value for cause in causes) for causes in term.explain(listener, rows)]
    np.testing.assert_allclose(summed, term.score(listener), rtol=1e-4, atol=1e-5)


def test_a_limit_keeps_the_causes_that_raised_most(term: Term, listener: ListenerProfile, catalogue: Catalogue) -> None:
    rows = np.arange(catalogue.n_tracks, dtype=np.int32)
    limited = term.explain(listener, rows, 2)
    for row, some, everything in zip(rows.tolist(), limited, term.explain(listener, rows), strict=True):
        nameable = (cause for cause in everything if cause.value > 0 and may_be_named(cause, row, catalogue))
        largest = sorted((cause.value for cause in nameable), reverse=True)[:2]
        assert [cause.value for cause in some] == pytest.approx(largest)


def may_be_named(cause: Cause, row: int, catalogue: Catalogue) -> bool:
    """A song is not explained by itself, nor by what the listener did both ways."""
    if cause.kind == "track" and catalogue.recording[cause.index] == catalogue.recording[row]:
        return False
    return cause.stance != "none" or cause.kind not in ("track", "artist", "genre")


def test_causes_name_what_the_listener_gave(term: Term, listener: ListenerProfile, catalogue: Catalogue) -> None:
    rows = np.arange(catalogue.n_tracks, dtype=np.int32)
    for cause in (cause for causes in term.explain(listener, rows) for cause in causes):
        assert set(cause.tracks) <= set(listener.rows.tolist())
        if cause.kind == "track":
            assert cause.index in listener.rows
        if cause.kind == "artist":
            assert cause.tracks or cause.index in listener.artists or cause.stance == "none"


def test_survives_storing_without_a_copy(
    term: Term, listener: ListenerProfile, catalogue: Catalogue, config: EngineConfig
) -> None:
    arrays = dict(term.arrays())
    again = type(term).from_arrays(arrays, catalogue, config.terms)
    np.testing.assert_array_equal(again.score(listener), term.score(listener))
    for name, array in again.arrays().items():
        assert array.size == 0 or np.shares_memory(array, arrays[name]), name


def test_refuses_to_load_without_its_arrays(term: Term, catalogue: Catalogue, config: EngineConfig) -> None:
    with pytest.raises(KeyError):
        type(term).from_arrays({}, catalogue, config.terms)


def test_fits_the_same_with_the_same_seed(
    term: Term, listener: ListenerProfile, catalogue: Catalogue, interactions: Interactions, config: EngineConfig
) -> None:
    fits = [
        type(term).fit(catalogue, interactions, config.terms, np.random.default_rng(8), no_progress).score(listener)
        for _ in range(2)
    ]
    np.testing.assert_array_equal(fits[0], fits[1])


def test_a_like_never_lowers_and_a_dislike_never_raises_a_track(term: Term, catalogue: Catalogue) -> None:
    for row in range(catalogue.n_tracks):
        liked = ListenerProfile.of_one_track(row)
        disliked = ListenerProfile(liked.rows, -liked.weights, liked.genres, liked.artists, -1, 0.0)
        nothing = ListenerProfile(liked.rows[:0], liked.weights[:0], liked.genres, liked.artists, -1, 0.0)
        low, middle, high = (float(term.score(who)[row]) for who in (disliked, nothing, liked))
        assert low <= high + 1e-6
        # Of who has answered nothing `preference` says nothing at all, rather than what everybody likes.
        if term.name != "preference":
            assert low - 1e-6 <= middle <= high + 1e-6


@pytest.mark.parametrize("name", sorted(TERMS))
@pytest.mark.parametrize(
    "thin",
    [
        pytest.param(make_catalogue([]), id="no tracks"),
        pytest.param(make_catalogue([[]]), id="one track, nothing known"),
        pytest.param(
            make_catalogue([[0], [0], [1]], feature_columns=(), features=np.empty((3, 0), np.float32)), id="bare"
        ),
    ],
)
def test_has_no_opinion_on_a_thin_catalogue_rather_than_an_error(name: str, thin: Catalogue) -> None:
    term = TERMS[name].fit(thin, Interactions.empty(), EngineConfig().terms, np.random.default_rng(0), no_progress)
    scores = term.score(ListenerProfile.from_feedback(Feedback(), EngineConfig().feedback))
    assert scores.shape == (thin.n_tracks,)
    assert not scores.size or np.ptp(scores) == 0


def test_fits_without_any_listener(config: EngineConfig) -> None:
    alone = fit_model(random_catalogue(), Interactions.empty(), config, np.random.default_rng(0))
    scores = score(alone, alone.listener(Feedback.likes([30, 31])))
    assert np.isfinite(scores.total).all()
    assert np.ptp(scores.total) > 0
