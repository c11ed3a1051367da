"""What a model knows after an update, beside what a new fit knows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recommender.engine import (
    EngineConfig,
    Feedback,
    Interactions,
    Model,
    fit_model,
    load_model,
    save_model,
    update_model,
)
from recommender.engine.evaluation.protocol import measure
from recommender.engine.evaluation.scorers import model_scorers
from recommender.engine.evaluation.split import Reveal, queries, split_listeners
from recommender.engine.terms.base import Updatable
from recommender.tests.engine.build import make_catalogue
from recommender.tests.engine.ranking.test_ranking import clustered

RNG = np.random.default_rng(0)
CONFIG = EngineConfig()


def first(interactions: Interactions, listeners: int) -> Interactions:
    return interactions.of_listeners(np.arange(interactions.n_listeners) < listeners)


@pytest.fixture(scope="module")
def fitted() -> Model:
    catalogue, interactions = clustered()
    return fit_model(catalogue, first(interactions, 100), CONFIG, np.random.default_rng(0))


def test_nothing_new_changes_nothing_that_was_learned(fitted: Model) -> None:
    catalogue, interactions = clustered()
    same = update_model(fitted, catalogue, first(interactions, 100), RNG)
    likes = same.listener(Feedback.likes([0, 21]))
    after, before = (model.terms["item_to_item"].score(likes) for model in (same, fitted))
    np.testing.assert_allclose(after, before, rtol=1e-5)
    assert same.weights is fitted.weights
    assert same.ranker is fitted.ranker


def test_new_listeners_are_as_good_as_fitted(fitted: Model) -> None:
    catalogue, interactions = clustered()
    split = split_listeners(interactions, np.random.default_rng(3))
    some = first(split.training, 60)
    old = fit_model(catalogue, some, CONFIG, np.random.default_rng(0))
    updated = update_model(old, catalogue, split.training, RNG)
    anew = fit_model(catalogue, split.training, CONFIG, np.random.default_rng(0), second_stage=old.second_stage)
    quality = {}
    for name, model in (("old", old), ("updated", updated), ("anew", anew)):
        scorers = {"blend": model_scorers(model)["blend"]}
        queries_at_2 = {"2": queries(split, Reveal("2"))}
        [measured] = measure(scorers, catalogue, split.training, queries_at_2, np.random.default_rng(1))
        quality[name] = float(measured.ndcg_at_10.mean())
    assert quality["updated"] > 0.95 * quality["anew"]
    np.testing.assert_array_equal(updated.attributes.listeners, anew.attributes.listeners)


def test_item_to_item_counts_touched_songs_as_a_fit_would(fitted: Model) -> None:
    catalogue, interactions = clustered()
    updated = update_model(fitted, catalogue, interactions, RNG)
    anew = fit_model(catalogue, interactions, CONFIG, np.random.default_rng(0), second_stage=fitted.second_stage)
    changed = np.flatnonzero(updated.attributes.listeners != fitted.attributes.listeners)
    for row in changed[:10]:
        item = updated.listener(Feedback.likes([row]))
        expected = anew.terms["item_to_item"].score(item)
        np.testing.assert_allclose(updated.terms["item_to_item"].score(item), expected, rtol=1e-4, atol=1e-7)


def test_new_songs_shift_rows_and_are_found(fitted: Model) -> None:
    catalogue, interactions = clustered()
    # Two new songs before all others: one by the artist of row 0, one by somebody new.
    grown = make_catalogue([[0], [120], *[[row] for row in range(120)]])
    grown = replace(grown, track_ids=np.concatenate([np.array([1, 2]), catalogue.track_ids]))
    known = first(interactions, 100)
    shifted = Interactions(known.listener, known.row + np.int32(2), known.weight, known.region)
    updated = update_model(fitted, grown, shifted, RNG)
    likes, before = updated.listener(Feedback.likes([2, 23])), fitted.listener(Feedback.likes([0, 21]))
    expected = fitted.terms["item_to_item"].score(before)
    np.testing.assert_allclose(updated.terms["item_to_item"].score(likes)[2:], expected, rtol=1e-5)
    collaborative = updated.terms["collaborative"].score(likes)
    assert collaborative[0] > np.median(collaborative)


def test_can_be_stored(fitted: Model, tmp_path_factory: pytest.TempPathFactory) -> None:
    catalogue, interactions = clustered()
    path = tmp_path_factory.mktemp("update") / "1"
    updated = update_model(fitted, catalogue, interactions, RNG, metadata={"was": "updated"})
    save_model(updated, path)
    assert load_model(path, verify=True).metadata == {"was": "updated"}


def test_terms_that_learn_from_listeners_are_updatable(fitted: Model) -> None:
    for name, term in fitted.terms.items():
        assert not term.is_collaborative or isinstance(term, Updatable), name
