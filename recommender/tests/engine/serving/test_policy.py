from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from recommender.engine import Feedback, FeedbackKind, InvalidDataError, Model, Request, recommend
from recommender.engine.rank import rank
from recommender.engine.ranking.exclusions import allowed_rows, known_rows
from recommender.engine.serving.impressions import Impressions
from recommender.engine.serving.policy import PageSelection, select_page, session_skip_counts
from recommender.engine.serving.recommend import select_songs
from recommender.tests.engine.build import feedback_of, make_catalogue

LIKE, SKIP, COMPLETED = FeedbackKind.LIKE, FeedbackKind.SKIP, FeedbackKind.COMPLETED


def drawn(model: Model, feedback: Feedback, adventure: float, seed: int, k: int = 10) -> PageSelection:
    request = Request(k=k, adventure=adventure)
    return select_songs(model, feedback, request, np.random.default_rng(seed)).selection


def with_config(model: Model, **changes: object) -> Model:
    page = replace(model.config.page, **changes)  # type: ignore[arg-type]
    return replace(model, config=replace(model.config, page=page))


def test_adventure_zero_is_certain_whatever_the_seed(model: Model, feedback: Feedback) -> None:
    first, second = (drawn(model, feedback, 0.0, seed) for seed in (1, 2))
    assert first.rows.tolist() == second.rows.tolist()
    assert first.policy == "greedy"
    assert first.propensity.tolist() == [1.0] * 10
    assert not first.explored.any()
    assert "exploration" not in first.adjustments


def test_the_same_seed_explores_alike_and_another_does_not(model: Model, feedback: Feedback) -> None:
    first, same, other = (drawn(model, feedback, 0.5, seed) for seed in (1, 1, 2))
    assert first.rows.tolist() == same.rows.tolist()
    assert first.propensity.tolist() == same.propensity.tolist()
    assert first.rows.tolist() != other.rows.tolist()
    assert first.policy == "thompson"


def test_explored_is_what_the_greedy_page_does_not_have(model: Model, feedback: Feedback) -> None:
    # Greedy among the same candidates: the pool is wider at adventure 1, and the ranking sees candidates beside others.
    listener = model.listener(feedback)
    allowed = allowed_rows(model.catalogue, excluded=known_rows(feedback, model.config))
    ranked = rank(model, listener, allowed, 1.0)
    greedy = set(select_page(model, ranked, feedback, listener, 10, 0.0, np.random.default_rng(0)).rows.tolist())
    pages = [drawn(model, feedback, 1.0, seed) for seed in range(5)]
    for page in pages:
        assert page.explored.tolist() == [row not in greedy for row in page.rows.tolist()]
    assert any(page.explored.any() for page in pages)


def test_the_dial_widens_the_page(model: Model, feedback: Feedback) -> None:
    explored = [
        np.mean([drawn(model, feedback, dial, seed).explored.mean() for seed in range(20)]) for dial in (0.0, 0.2, 1.0)
    ]
    assert explored[0] == 0.0
    assert explored[0] < explored[1] < explored[2]


def test_propensities_are_the_shares_of_the_pages_that_are_really_drawn(model: Model, feedback: Feedback) -> None:
    pages = [drawn(model, feedback, 0.4, seed) for seed in range(300)]
    shown = np.bincount(np.concatenate([page.rows for page in pages]), minlength=model.catalogue.n_tracks) / 300
    drawn_page = drawn(model, feedback, 0.4, 1000)
    draws = model.config.exploring.n_samples
    for row, propensity in zip(drawn_page.rows, drawn_page.propensity, strict=True):
        assert 1 / draws <= propensity <= 1.0
        # Two estimates from 300 and 200 draws, and the page at hand counts among the latter.
        assert propensity == pytest.approx(shown[row], abs=0.17)


def test_scores_along_an_exploring_page_add_up_and_never_rise(model: Model, feedback: Feedback) -> None:
    page = recommend(model, feedback, Request(k=10, adventure=0.7), np.random.default_rng(3))
    scores = [item.score for item in page.items]
    assert page.policy == "thompson"
    assert any(item.contributions["exploration"] for item in page.items)
    assert all(sum(item.contributions.values()) == item.score for item in page.items)
    assert all(low <= high + 1e-5 for high, low in pairwise(scores))
    assert {item.explored for item in page.items} == {True, False}


def test_exploring_keeps_the_page_rules(model: Model, feedback: Feedback) -> None:
    catalogue = model.catalogue
    allowed = allowed_rows(catalogue, excluded=known_rows(feedback, model.config))
    for seed in range(10):
        rows = drawn(model, feedback, 1.0, seed).rows
        assert allowed[rows].all()
        assert len(np.unique(catalogue.recording[rows])) == len(rows)
        credited = np.concatenate([np.unique(catalogue.artists_at(int(row))) for row in rows])
        assert np.unique(credited, return_counts=True)[1].max() <= model.config.page.max_per_artist


def test_variety_trades_score_for_difference(model: Model, feedback: Feedback) -> None:
    def alike(variety: float) -> float:
        rows = drawn(with_config(model, diversity=variety), feedback, 0.0, 0, k=3).rows
        vectors = model.embedding(rows)
        unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        return float(np.triu(unit @ unit.T, 1).sum())

    assert alike(50.0) < alike(0.0)


def test_an_artist_of_whom_only_skips_are_known_tires() -> None:
    catalogue = make_catalogue([[0], [0], [0], [1], [1], [2], [2], [0, 2]])
    feedback = feedback_of((0, SKIP, 1, 0), (1, SKIP, 1, 0), (3, SKIP, 1, 0), (4, LIKE, 1, 0), (5, SKIP, 1, 2))
    every = np.arange(8, dtype=np.int32)
    assert session_skip_counts(catalogue, feedback, every, 9).tolist() == [2, 2, 2, 0, 0, 0, 0, 2]
    assert session_skip_counts(catalogue, feedback, every, 1).tolist() == [1, 1, 1, 0, 0, 0, 0, 1]


@pytest.mark.parametrize(
    "welcome",
    [feedback_of((0, SKIP, 1, 0), (1, COMPLETED, 1, 40)), feedback_of((0, SKIP, 1, 0), artists=[0])],
)
def test_an_artist_that_was_heard_out_or_chosen_does_not_tire(welcome: Feedback) -> None:
    catalogue = make_catalogue([[0], [0], [1]])
    assert session_skip_counts(catalogue, welcome, np.array([1, 2], dtype=np.int32), 3).tolist() == [0, 0]


def test_fatigue_takes_the_artist_down(model: Model) -> None:
    greedy = recommend(model, Feedback(), Request(k=3), np.random.default_rng(0)).items[0]
    artist = int(model.catalogue.artists_at(greedy.row)[0])
    others = [row for row in range(model.catalogue.n_tracks) if artist in model.catalogue.artists_at(row)]
    skipped = feedback_of(*((row, SKIP, 1.0, 0.0) for row in others if row != greedy.row))
    every = Request(k=110)
    tired, rested = (
        recommend(
            with_config(model, skip_penalty=fatigue, max_per_artist=99), skipped, every, np.random.default_rng(0)
        ).items
        for fatigue in (1.0, 0.0)
    )
    penalties = {item.row: item.contributions.get("fatigue", 0.0) for item in tired}
    assert penalties[greedy.row] < 0
    assert not any("fatigue" in item.contributions for item in rested)


def test_what_was_shown_in_vain_rests(model: Model, feedback: Feedback) -> None:
    # Otherwise a song could be missing for its artist's sake.
    model = with_config(model, max_per_artist=99)
    first = recommend(model, feedback, Request(k=5), np.random.default_rng(0)).items
    rows = np.array([item.row for item in first], dtype=np.int32)
    times = np.array([2, 3, 3, 4, 1], dtype=np.int32)
    days = np.array([0, 1, 8, 8, 0], dtype=np.float32)
    request = Request(k=60, shown=Impressions(rows, times, days))
    shown = {item.row for item in recommend(model, feedback, request, np.random.default_rng(0)).items}
    assert [row in shown for row in rows.tolist()] == [True, False, True, False, True]


def test_shown_songs_outside_the_catalogue_are_refused(model: Model) -> None:
    shown = Impressions(np.array([10_000], np.int32), np.ones(1, np.int32), np.zeros(1, np.float32))
    with pytest.raises(InvalidDataError, match="shown: 10000"):
        recommend(model, Feedback(), Request(shown=shown), np.random.default_rng(0))


def test_a_page_longer_than_the_candidates_is_filled_by_the_rules(model: Model, feedback: Feedback) -> None:
    ranking = replace(model.config.ranking, candidates=5, per_term=1)
    few = replace(model, config=replace(model.config, ranking=ranking))
    choice = drawn(few, feedback, 1.0, 0, k=15)
    assert len(np.unique(model.catalogue.recording[choice.rows])) == 15
    credited = np.concatenate([np.unique(model.catalogue.artists_at(int(row))) for row in choice.rows])
    assert np.unique(credited, return_counts=True)[1].max() <= 2
    assert choice.propensity[-1] == 1.0
    assert not choice.explored[-1]
