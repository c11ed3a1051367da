from __future__ import annotations

import json
from typing import Any

import pytest

from recommender.engine import EngineConfig, InvalidDataError


def test_survives_json() -> None:
    config = EngineConfig(max_per_artist=3, signal={**EngineConfig().signal, "skip": -0.4})
    assert EngineConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_unknown_names_are_refused() -> None:
    with pytest.raises(InvalidDataError, match="unknown configuration: max_per_label"):
        EngineConfig.from_dict({"max_per_label": 1})


def test_settings_that_are_no_longer_are_left_out() -> None:
    config = EngineConfig()
    stored = config.to_dict()
    stored["answers"] |= {"ridge": 0.001, "listeners": 3000}
    assert EngineConfig.from_dict(stored) == config
    with pytest.raises(InvalidDataError, match="unknown configuration: answers"):
        EngineConfig.from_dict({"answers": {"loudness": 1.0}})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"signal": {"like": 1.0}}, "signal: needs exactly the kinds"),
        ({"half_life_days": dict.fromkeys(EngineConfig().signal, 0.0)}, "half_life_days: must be positive"),
        ({"amounts": (1.0, 2.0)}, "amounts: must start with 0 and increase"),
        ({"term_weights": {"artist": (1.0,)}}, r"term_weights\['artist'\]: needs 5 values, has 1"),
        ({"max_per_artist": 0}, "max_per_artist: must be at least 1"),
    ],
)
def test_bad_values_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        EngineConfig(**values)


def test_the_signs_are_right() -> None:
    signal = EngineConfig().signal
    assert signal["dislike"] < signal["skip"] < 0 < signal["play"] < signal["completed"] < signal["like"]
