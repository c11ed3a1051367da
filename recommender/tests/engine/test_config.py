from __future__ import annotations

import json
from typing import Any

import pytest

from recommender.engine import TERMS, EngineConfig, FactorConfig, FeedbackConfig, InvalidDataError, TermsConfig
from recommender.engine.fitting.cooccurrence import CooccurrenceConfig
from recommender.engine.fitting.implicit_negatives import PreferenceConfig
from recommender.engine.ranking.config import BlendConfig
from recommender.engine.serving.config import ExploringConfig, PageConfig


def test_survives_json() -> None:
    feedback = FeedbackConfig(signal={**FeedbackConfig().signal, "skip": -0.4})
    terms = TermsConfig(factors=FactorConfig(factors=8))
    config = EngineConfig(
        page=PageConfig(max_per_artist=3),
        feedback=feedback,
        terms=terms,
        blend=BlendConfig(term_weights={"audio": 0.5}),
    )
    assert EngineConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_unknown_names_are_refused() -> None:
    with pytest.raises(InvalidDataError, match="unknown configuration: max_per_label"):
        EngineConfig.from_dict({"max_per_label": 1})


def test_settings_that_are_no_longer_are_left_out() -> None:
    config = EngineConfig()
    stored = config.to_dict() | {"answers": {"ridge": 0.001, "weight": 1.2}}
    assert EngineConfig.from_dict(stored) == config
    with pytest.raises(InvalidDataError, match=r"unknown configuration: terms\.preference\.loudness"):
        EngineConfig.from_dict({"terms": {"preference": {"loudness": 1.0}}})


def test_settings_are_read_by_their_old_names() -> None:
    stored = {
        "max_songs": 7,
        "region_min_listeners": 5,
        "era_bandwidth": 3.0,
        "factors": {"factors": 16, "exponent": 0.5},
        "neighbours": {"kept": 9},
        "preference": {"directions": 4, "silences": [0.5], "silence": 1.0},
        "term_weights": {"audio": [0.3, 0.3, 0.3, 0.3, 0.2]},
        "half_trust": 12.0,
        "exploring": {"draws": 3, "optimism": 0.0},
    }
    assert EngineConfig.from_dict(stored) == EngineConfig(
        feedback=FeedbackConfig(max_songs=7),
        terms=TermsConfig(
            region_min_listeners=5,
            factors=FactorConfig(factors=16),
            neighbours=CooccurrenceConfig(n_neighbours=9),
            preference=PreferenceConfig(n_factors=4, implicit_negative_weights=(0.5,)),
        ),
        blend=BlendConfig(term_weights={"audio": (0.3, 0.3, 0.3, 0.3, 0.2)}, shrinkage_listeners=12.0),
        exploring=ExploringConfig(n_samples=3),
    )


def test_every_term_has_its_own_weight_unless_another_is_given() -> None:
    weights = BlendConfig().term_weights
    assert weights == {name: term.default_weight for name, term in TERMS.items()}
    assert sum(len(weight) if isinstance(weight, tuple) else 1 for weight in weights.values()) == 22
    assert BlendConfig().similar_weights == {
        "artist": 0.5,
        "album": 0.3,
        "genre": 1.0,
        "audio": 1.0,
        "mainstream": 0.1,
        "era": 0.1,
        "popularity": 0.1,
    }


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"amounts": (1.0, 2.0)}, "amounts: must start with 0 and increase"),
        ({"term_weights": {"artist": (1.0,)}}, r"term_weights\['artist'\]: needs 5 values, has 1"),
    ],
)
def test_bad_values_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        BlendConfig(**values)


def test_a_page_without_songs_of_any_artist_is_refused() -> None:
    with pytest.raises(InvalidDataError, match="max_per_artist: must be at least 1"):
        PageConfig(max_per_artist=0)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"signal": {"like": 1.0}}, "signal: needs exactly the kinds"),
        ({"half_life_days": dict.fromkeys(FeedbackConfig().signal, 0.0)}, "half_life_days: must be positive"),
        ({"max_songs": 0}, "max_songs: must be at least 1"),
    ],
)
def test_bad_feedback_settings_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        FeedbackConfig(**values)


def test_the_signs_are_right() -> None:
    signal = FeedbackConfig().signal
    assert signal["dislike"] < signal["skip"] < 0 < signal["play"] < signal["completed"] < signal["like"]
