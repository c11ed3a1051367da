from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from recommender.engine import Catalogue, EngineConfig, Feedback, Interactions, InvalidDataError, Model, fit_model
from recommender.engine.data.arrays import FloatArray
from recommender.engine.evaluation.protocol import EvaluationRow, compare, listener_share, measure, without_terms
from recommender.engine.evaluation.scorers import Scorer, model_scorers
from recommender.engine.evaluation.split import Reveal, queries, split_listeners
from recommender.engine.rank import rank
from recommender.engine.score import score, score_ahead
from recommender.engine.terms import TERMS
from recommender.tests.engine.build import make_catalogue


@pytest.mark.parametrize(("label", "size", "count"), [("1", 10, 1), ("20", 10, 20), ("80%", 10, 8), ("50%", 3, 2)])
def test_reveal_counts(label: str, size: int, count: int) -> None:
    assert Reveal(label).count(size) == count


@pytest.mark.parametrize("label", ["0", "-1", "x", "", "100%", "%", "1.5", "²"])
def test_bad_reveals_are_refused(label: str) -> None:
    with pytest.raises(InvalidDataError, match="reveal"):
        Reveal(label)


def evaluate(
    catalogue: Catalogue,
    interactions: Interactions,
    config: EngineConfig,
    reveals: tuple[str, ...],
    seed: int = 0,
    **more: Any,
) -> list[EvaluationRow]:
    return [measured.row(seed) for measured in compare(catalogue, interactions, config, reveals, seed, **more)]


def test_split_sets_a_fifth_aside_and_never_trains_on_it(interactions: Interactions) -> None:
    split = split_listeners(interactions, np.random.default_rng(0))
    assert len(split.test) == 12
    assert split.training.n_listeners == 48
    assert len(split.training.row) + sum(map(len, split.test)) == len(interactions.row)


def test_a_disliked_track_is_not_to_be_found() -> None:
    single_row = np.zeros(2, dtype=np.int32)
    weight = np.array([1, -1], dtype=np.float32)
    interactions = Interactions(single_row, np.array([3, 4], dtype=np.int32), weight, single_row[:1])
    split = split_listeners(interactions, np.random.default_rng(0), share=1.0)
    assert [rows.tolist() for rows in split.test] == [[3]]


def test_one_row_per_scorer_and_amount(catalogue: Catalogue, interactions: Interactions, config: EngineConfig) -> None:
    rows = evaluate(catalogue, interactions, config, reveals=("1", "50%"))
    assert [(row.scorer, row.reveal) for row in rows] == [
        (scorer, reveal) for reveal in ("1", "50%") for scorer in (*TERMS, "content", "blend", "page")
    ]
    by_name = {row.scorer: row for row in rows if row.reveal == "50%"}
    assert by_name["blend"].ndcg_at_10.low > by_name["popularity"].ndcg_at_10.high
    assert by_name["blend"].listeners == 12


def test_the_same_seed_gives_the_same_figures(
    catalogue: Catalogue, interactions: Interactions, config: EngineConfig
) -> None:
    first, second, other = (evaluate(catalogue, interactions, config, ("5",), seed=seed) for seed in (3, 3, 4))
    assert first == second
    assert first != other


def test_amounts_that_nobody_has_are_left_out(
    catalogue: Catalogue, interactions: Interactions, config: EngineConfig
) -> None:
    assert evaluate(catalogue, interactions, config, reveals=("5000",)) == []


def test_another_scorer_is_fitted_on_training_listeners_and_judged_alike(
    catalogue: Catalogue, interactions: Interactions, config: EngineConfig
) -> None:
    seen: dict[str, int] = {}

    def oracle(_: Catalogue, training: Interactions, rng: np.random.Generator) -> Scorer:
        seen["listeners"] = training.n_listeners
        return lambda feedback: _revealed_first(catalogue, feedback)

    rows = evaluate(catalogue, interactions, config, reveals=("1",), others={"echo": oracle})
    echo = next(row for row in rows if row.scorer == "echo")
    assert seen == {"listeners": 48}
    # What was revealed cannot be "found": a scorer that only repeats it does no better than chance.
    assert echo.ndcg_at_10.mean < 0.25


def _revealed_first(catalogue: Catalogue, feedback: Feedback) -> FloatArray:
    scores = np.zeros(catalogue.n_tracks, dtype=np.float32)
    scores[feedback.rows] = 1.0
    return scores


def test_ties_do_not_follow_the_order_of_the_catalogue() -> None:
    # All held-out tracks stand first in the catalogue; a scorer without an opinion must not profit.
    listeners = np.repeat(np.arange(50, dtype=np.int32), 10)
    rows = np.tile(np.arange(10, dtype=np.int32), 50)
    interactions = Interactions(listeners, rows, np.ones(500, np.float32), np.full(50, -1, np.int32))
    catalogue = make_catalogue([[0]] * 1000)
    row = next(row for row in evaluate(catalogue, interactions, EngineConfig(), ("1",)) if row.scorer == "genre")
    assert row.ndcg_at_10.mean < 0.1


def test_listener_share_counts_each_listener_once() -> None:
    zero = np.zeros(2, dtype=np.int32)
    training = Interactions(zero, zero + 1, np.ones(2, np.float32), np.full(2, -1, np.int32))
    assert listener_share(training, 2).tolist() == [0.25, 0.5]


@pytest.mark.parametrize("name", ["content", "blend"])
def test_another_version_of_a_revealed_song_comes_last(name: str) -> None:
    # Songs 0 to 3 by one artist, of which 1 is a version of 0; 4 and 5 by others.
    recording = np.array([0, 0, 2, 3, 4, 5], dtype=np.int32)
    catalogue = make_catalogue([[0], [0], [0], [0], [1], [2]], recording=recording)
    model = fit_model(catalogue, Interactions.empty(), EngineConfig(), np.random.default_rng(0))
    scorers = model_scorers(model)
    feedback = Feedback.likes([0])
    assert scorers["artist"](feedback)[1] == scorers["artist"](feedback)[2]
    scores = scorers[name](feedback)
    assert scores[1] < scores[4] < scores[2]
    assert scores[1] < scores[5] < scores[3]


def _asked(scorer: Scorer, feedback: Feedback) -> FloatArray:
    """Ask a scorer in a way that does not tell it of others to come."""
    return scorer(feedback)


def test_listeners_asked_about_together_are_judged_as_one_by_one(
    model: Model, catalogue: Catalogue, interactions: Interactions
) -> None:
    split = split_listeners(interactions, np.random.default_rng(0))
    questions = {"5": queries(split, Reveal("5"))}
    together = model_scorers(model)
    alone: dict[str, Scorer] = {name: partial(_asked, scorer) for name, scorer in together.items()}
    actual, expected = (
        measure(scorers, catalogue, split.training, questions, np.random.default_rng(1))
        for scorers in (together, alone)
    )
    for item, other in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(item.ndcg_at_100, other.ndcg_at_100)


def test_expected_listeners_are_scored_as_others(model: Model) -> None:
    feedbacks = [Feedback.likes([1, 2]), Feedback.likes([3])]
    listeners = [model.listener(feedback) for feedback in feedbacks]
    expected = [score(model, replace(item)).total for item in listeners]
    score_ahead(model, listeners)
    for listener, scores in zip(listeners, expected, strict=True):
        np.testing.assert_allclose(score(model, listener).total, scores, rtol=1e-4, atol=1e-4)


def test_a_term_that_is_left_out_has_no_weight_no_feature_and_no_row(
    catalogue: Catalogue, interactions: Interactions, config: EngineConfig
) -> None:
    model = fit_model(
        catalogue, interactions, without_terms(config, ["audio", "item_to_item"]), np.random.default_rng(0)
    )
    listener = model.listener(Feedback.likes([3, 4]))
    ranked = rank(model, listener, np.ones(catalogue.n_tracks, dtype=np.bool_))
    assert ranked.view is not None
    for names in (model.weights.weights, model.content_weights.weights, ranked.first_stage.raw, model_scorers(model)):
        assert not {"audio", "item_to_item"} & set(names)
    assert not {"audio", "item_to_item"} & set(ranked.view.features.schema.owner)
    assert "genre" in ranked.view.features.schema.owner


def test_leaving_out_a_term_that_is_none_names_those_that_are(config: EngineConfig) -> None:
    with pytest.raises(InvalidDataError, match="no term is named 'tempo'; there are artist, album, genre, audio"):
        without_terms(config, ["audio", "tempo"])


def test_some_term_must_be_left_for_a_listener_alone(config: EngineConfig) -> None:
    needless = [name for name, term in TERMS.items() if not term.is_collaborative]
    with pytest.raises(InvalidDataError, match="no term is left that needs no other listeners"):
        without_terms(config, needless)
    assert set(without_terms(config, needless[1:]).blend.term_weights) == set(TERMS) - set(needless[1:])
