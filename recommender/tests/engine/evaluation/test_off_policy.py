from __future__ import annotations

import numpy as np
import pytest

from recommender.engine.errors import InvalidDataError
from recommender.engine.evaluation import (
    OFF_POLICY_ESTIMATORS,
    LoggedSongs,
    OffPolicyConfig,
    TargetPolicy,
    evaluate_off_policy,
)
from recommender.engine.evaluation.reward_model import fit_reward_model

SONGS = 30
PAGE = 5


def random_log(pages: int, seed: int = 0, exposure: tuple[float, ...] = (1.0,) * PAGE) -> LoggedSongs:
    """Pages of five of thirty songs drawn at random for a listener each; song s is liked with probability s / 40."""
    rng = np.random.default_rng(seed)
    shown = np.stack([rng.permutation(SONGS)[:PAGE] for _page in range(pages)]).ravel()
    page, position = np.repeat(np.arange(pages), PAGE), np.tile(np.arange(PAGE), pages)
    chance = shown / 40 * np.array(exposure)[position]
    reward = (rng.random(len(shown)) < chance).astype(np.float64)
    propensity = np.full(len(shown), PAGE / SONGS)
    return LoggedSongs(page, page, position, reward, propensity, shown[:, None] / SONGS)


def shows(log: LoggedSongs, chance: np.ndarray[tuple[int], np.dtype[np.float64]]) -> TargetPolicy:
    """A policy that shows each of the thirty songs with its chance, whoever listens."""
    shown = np.round(log.features[:, 0] * SONGS).astype(int)
    sums = np.array([[chance @ (np.arange(SONGS) / SONGS)]])
    return TargetPolicy(chance[shown], np.repeat(sums, log.n_pages, axis=0), np.full(log.n_pages, chance.sum()))


BEST = (np.arange(SONGS) >= SONGS - PAGE).astype(np.float64)
WORST = BEST[::-1].copy()
AT_RANDOM = np.full(SONGS, PAGE / SONGS)
# Songs 25 to 29 are liked with 25/40 to 29/40.
EARNED_BY_BEST = 27 / 40 * PAGE
EARNED_BY_WORST = 2 / 40 * PAGE


def test_the_policy_of_the_log_earned_what_it_earned() -> None:
    log = random_log(400)
    report = evaluate_off_policy(log, {"random": shows(log, AT_RANDOM)}, np.random.default_rng(0))
    earned = log.reward.sum() / 400
    assert report.logged.mean == pytest.approx(earned)
    estimate = report.estimates["random"]
    assert estimate.overlap == pytest.approx(1.0)
    assert estimate.effective_songs == pytest.approx(2000)
    assert estimate.doubts == ()
    for name in OFF_POLICY_ESTIMATORS:
        assert estimate.value[name].mean == pytest.approx(earned, rel=0.02)


@pytest.mark.parametrize(("chance", "truth"), [(BEST, EARNED_BY_BEST), (WORST, EARNED_BY_WORST)])
def test_policies_that_never_served_are_judged_rightly(
    chance: np.ndarray[tuple[int], np.dtype[np.float64]], truth: float
) -> None:
    log = random_log(3000)
    value = evaluate_off_policy(log, {"it": shows(log, chance)}, np.random.default_rng(0)).estimates["it"].value
    for name in OFF_POLICY_ESTIMATORS:
        assert value[name].low <= truth <= value[name].high
        assert value[name].mean == pytest.approx(truth, rel=0.1)


def test_differences_are_to_the_first_and_on_the_same_listeners() -> None:
    log = random_log(3000)
    targets = {"worst": shows(log, WORST), "best": shows(log, BEST)}
    report = evaluate_off_policy(log, targets, np.random.default_rng(0))
    assert set(report.differences) == {"best"}
    difference = report.differences["best"]["dr"]
    assert difference.low <= EARNED_BY_BEST - EARNED_BY_WORST <= difference.high
    assert difference.low > 0


def test_positions_are_divided_out() -> None:
    # The last position earns a fifth of the first.
    exposure = (1.0, 0.8, 0.6, 0.4, 0.2)
    log = random_log(4000, exposure=exposure)
    report = evaluate_off_policy(log, {"best": shows(log, BEST)}, np.random.default_rng(0))
    expected = np.array(exposure) / np.mean(exposure)
    assert report.exposure == pytest.approx(expected, abs=0.08)
    value = report.estimates["best"].value["snips"]
    assert value.low <= EARNED_BY_BEST * float(np.mean(exposure)) <= value.high


def test_a_small_log_says_that_it_is_not_enough() -> None:
    log = random_log(15)
    estimate = evaluate_off_policy(log, {"best": shows(log, BEST)}, np.random.default_rng(0)).estimates["best"]
    assert estimate.doubts == ("listeners", "songs")


def test_songs_that_were_never_shown_are_told() -> None:
    log = random_log(400)
    few = shows(log, np.where(np.arange(SONGS) == 3, 1.0, 0.0))
    unseen = TargetPolicy(few.propensity, few.page_features, np.full(log.n_pages, float(PAGE)))
    report = evaluate_off_policy(log, {"unseen": unseen, "random": shows(log, AT_RANDOM)}, np.random.default_rng(0))
    assert "overlap" in report.estimates["unseen"].doubts
    assert not report.is_enough("unseen", "random")
    assert report.is_enough("random")


def test_weights_are_clipped() -> None:
    log = random_log(400)
    config = OffPolicyConfig(max_weight=2.0)
    estimate = evaluate_off_policy(log, {"best": shows(log, BEST)}, np.random.default_rng(0), config).estimates["best"]
    assert estimate.clipped_share == pytest.approx(float((log.features[:, 0] >= 25 / SONGS).mean()))
    assert estimate.overlap == pytest.approx(2.0 / 6.0, rel=0.1)


def test_a_listener_is_predicted_by_the_others() -> None:
    # Odd listeners like everything, even ones nothing: who is predicted by the others is predicted wrongly.
    owner = np.repeat(np.arange(10), 20)
    reward = (owner % 2).astype(np.float64)
    model = fit_reward_model(np.zeros((200, 1)), np.zeros(200, dtype=np.int64), reward, owner)
    assert model.predict(np.zeros((2, 1)), np.array([0, 1])) == pytest.approx([1.0, 0.0], abs=1e-6)


def test_what_is_no_log_is_refused() -> None:
    single_row = np.zeros(1, dtype=np.int64)
    with pytest.raises(InvalidDataError, match="propensity"):
        LoggedSongs(single_row, single_row, single_row, np.ones(1), np.zeros(1), np.ones((1, 1)))
    with pytest.raises(InvalidDataError, match="differ in length"):
        LoggedSongs(single_row, single_row, single_row, np.ones(2), np.ones(1), np.ones((1, 1)))
    none = np.zeros(0, dtype=np.int64)
    empty = LoggedSongs(none, none, none, np.zeros(0), np.zeros(0), np.zeros((0, 1)))
    with pytest.raises(InvalidDataError, match="no page"):
        evaluate_off_policy(empty, {}, np.random.default_rng(0))
