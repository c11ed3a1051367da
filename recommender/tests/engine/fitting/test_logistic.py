from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logit, logsumexp

from recommender.engine.data.arrays import Sparse
from recommender.engine.fitting import logistic, ordinal
from recommender.engine.fitting.logistic import LogisticFactors, fit_item_factors, fit_user_factors
from recommender.engine.fitting.map_estimate import GaussianPrior, map_user_factor
from recommender.engine.fitting.ordinal import (
    NO,
    STRONG_NO,
    STRONG_YES,
    YES,
    Scale,
    interval_derivatives,
    sigmoid,
)
from recommender.engine.fitting.rare_items import RatingCounts, closed_form_item_factors

BOUNDS = (-np.inf, -1.0, 0.0, 1.5, np.inf)
"""Planted: beyond them an answer is a strong one."""


@dataclass(frozen=True, eq=False)
class Planted:
    """Answers drawn from the model, and what they were drawn from: every listener's answer to every song as a Scale
    with BOUNDS has it, int32[listeners, songs], and which answers were given, bool of that shape.
    """

    answer: NDArray[np.int32]
    is_given: NDArray[np.bool_]
    offset: NDArray[np.float64]
    loadings: NDArray[np.float64]

    @property
    def likes(self) -> NDArray[np.bool_]:
        return self.answer >= YES

    def graded(self) -> Sparse:
        return sp.csr_array(np.where(self.is_given, self.answer, 0).astype(np.float32))

    def plain(self) -> Sparse:
        """The same answers, all of one strength."""
        plain = np.where(self.likes, STRONG_YES, STRONG_NO)
        return sp.csr_array(np.where(self.is_given, plain, 0).astype(np.float32))

    def lists(self) -> Sparse:
        """All likes and nothing else."""
        return lists_of(self.likes)


def test_sigmoid_is_exact_in_both_tails_and_at_infinity() -> None:
    values = np.array([-np.inf, -200.0, -80.0, -12.5, -1e-3, 0.0, 3.0, 200.0, np.inf], dtype=np.float32)
    np.testing.assert_allclose(sigmoid(values), expit(values.astype(np.float64)), rtol=1e-6, atol=1e-38)


def lists_of(likes: NDArray[np.bool_]) -> Sparse:
    return sp.csr_array(np.where(likes, STRONG_YES, 0).astype(np.float32))


def planted(listeners: int, songs: int, directions: int, share: float = 1.0) -> Planted:
    """`share` of the answers were given, drawn at random."""
    rng = np.random.default_rng(1)
    offset, loadings = rng.uniform(-2.0, 0.0, songs), 0.8 * rng.standard_normal((songs, directions))
    eta = rng.standard_normal((listeners, directions)) @ loadings.T + offset
    answer = np.digitize(eta + rng.logistic(size=eta.shape), BOUNDS[1:4]) + 1
    return Planted(answer.astype(np.int32), rng.random(eta.shape) < share, offset, loadings)


def agreement(fit: LogisticFactors, truth: Planted) -> tuple[float, float]:
    """Correlations of the products of loadings, for directions may be turned, and of the offsets."""
    off = ~np.eye(len(truth.offset), dtype=np.bool_)
    loadings = fit.songs[:, :-1]
    products = np.corrcoef((truth.loadings @ truth.loadings.T)[off], (loadings @ loadings.T)[off])
    return float(products[0, 1]), float(np.corrcoef(truth.offset, fit.songs[:, -1])[0, 1])


class TestFit:
    def test_likes_and_dislikes_of_some_songs_show_what_they_were_drawn_from(self) -> None:
        truth = planted(2000, 50, 2, share=0.4)
        fit = fit_item_factors(truth.plain(), 0.01, 2, n_iterations=8)
        products, offsets = agreement(fit, truth)
        assert products > 0.94
        assert offsets > 0.97
        # Twenty answers of each listener leave the loadings smaller than they are, by a fifth here.
        size = np.square(fit.songs[:, :-1]).sum() / np.square(truth.loadings).sum()
        assert 0.6 < size < 1.1
        assert fit.songs[:, -1].mean() == pytest.approx(truth.offset.mean(), abs=0.1)

    def test_lists_show_what_they_were_drawn_from_where_silence_is_a_no(self) -> None:
        truth = planted(1500, 60, 2)
        products, offsets = agreement(fit_item_factors(truth.lists(), 1.0, 2, n_iterations=8), truth)
        assert products > 0.95
        assert offsets > 0.98

    def test_that_no_song_was_left_out_makes_silence_meaningless(self) -> None:
        truth = planted(300, 20, 2)
        fits = [fit_item_factors(truth.plain(), unrated_weight, 2, n_iterations=4) for unrated_weight in (0.01, 1.0)]
        np.testing.assert_allclose(fits[0].songs, fits[1].songs, atol=1e-4)

    def test_how_much_stronger_strong_answers_are_is_learned(self) -> None:
        truth = planted(2000, 50, 2, share=0.4)
        fit = fit_item_factors(truth.graded(), 0.01, 2, n_iterations=8)
        assert fit.scale.bounds == pytest.approx(BOUNDS, abs=0.1)
        assert agreement(fit, truth)[0] > 0.95

    def test_grades_tell_more_than_yes_and_no(self) -> None:
        truth = planted(400, 50, 2, share=0.4)
        plain, graded = (
            agreement(fit_item_factors(each, 0.01, 2, n_iterations=8), truth)[0]
            for each in (truth.plain(), truth.graded())
        )
        assert graded > plain + 0.01

    @pytest.mark.parametrize("no", [STRONG_NO, NO])
    @pytest.mark.parametrize("yes", [YES, STRONG_YES])
    def test_answers_of_one_strength_are_plain_ones(self, yes: int, no: int) -> None:
        truth = planted(300, 20, 2, share=0.5)
        answers = truth.plain()
        answers.data = np.where(answers.data >= YES, yes, no).astype(np.float32)
        fit, plain = (
            fit_item_factors(answers, 0.1, 2, n_iterations=4),
            fit_item_factors(truth.plain(), 0.1, 2, n_iterations=4),
        )
        # All strong means that everything beyond 0 is; none is strong: nothing below the largest bound.
        widths = [ordinal.LARGEST_BOUND if each in (NO, YES) else 0.0 for each in (no, yes)]
        assert fit.scale.bounds == pytest.approx((-np.inf, -widths[0], 0.0, widths[1], np.inf))
        np.testing.assert_allclose(fit.songs, plain.songs, atol=0.03)

    def test_rounds_raise_the_likelihood_towards_that_of_the_truth(self) -> None:
        truth = planted(400, 30, 2)
        fits = [fit_item_factors(truth.lists(), 1.0, 2, n_iterations=n_iterations).songs for n_iterations in (1, 2, 8)]
        reached = [likelihood(truth.likes, songs) for songs in fits]
        assert reached[0] < reached[1] < reached[2]
        nothing = np.column_stack([np.zeros((30, 2)), logit(truth.likes.mean(axis=0))])
        planted_ones = np.column_stack([truth.loadings, truth.offset])
        low, high = (likelihood(truth.likes, songs) for songs in (nothing, planted_ones))
        assert reached[2] > low + 0.95 * (high - low)

    def test_tastes_are_standard_normal(self) -> None:
        truth = planted(1500, 60, 2)
        fit = fit_item_factors(truth.lists(), 1.0, 2, n_iterations=8)
        user_factors = fit_user_factors(truth.lists(), 1.0, fit)
        np.testing.assert_allclose(user_factors.mean(axis=0), np.zeros(2), atol=0.02)
        # What the modes do not show of the variance is how uncertain they are.
        assert (np.diag(np.cov(user_factors.T)) < 1.0).all()
        np.testing.assert_allclose(np.cov(user_factors.T), np.eye(2), atol=0.25)

    def test_tastes_are_the_most_probable_ones(self) -> None:
        truth = planted(200, 20, 2, share=0.5)
        fit = fit_item_factors(truth.plain(), 0.3, 2, n_iterations=4)
        user_factors = fit_user_factors(truth.plain(), 0.3, fit)
        nothing = GaussianPrior(np.zeros(2), np.eye(2))
        for listener in (0, 7, 199):
            confidence = np.where(truth.is_given[listener], 1.0, 0.3)
            liked = truth.likes[listener] & truth.is_given[listener]
            np.testing.assert_allclose(
                user_factors[listener], map_user_factor(nothing, fit.songs, liked, confidence), atol=1e-3
            )

    @pytest.mark.parametrize("unrated_weight", [1.0, 0.1])
    def test_chunks_of_listeners_change_nothing(self, monkeypatch: pytest.MonkeyPatch, unrated_weight: float) -> None:
        answers = planted(97, 20, 2, share=0.6).graded()
        whole = fit_item_factors(answers, unrated_weight, 2, n_iterations=3)
        user_factors = fit_user_factors(answers, unrated_weight, whole)
        monkeypatch.setattr(logistic, "CHUNK", 10)
        parts = fit_item_factors(answers, unrated_weight, 2, n_iterations=3)
        for name in ("songs", "deviations"):
            np.testing.assert_allclose(getattr(whole, name), getattr(parts, name), rtol=1e-3, atol=1e-3)
        assert whole.scale.bounds == pytest.approx(parts.scale.bounds, abs=1e-3)
        np.testing.assert_allclose(user_factors, fit_user_factors(answers, unrated_weight, whole), rtol=1e-3, atol=1e-3)

    def test_directions_with_nothing_in_them_have_small_loadings(self) -> None:
        truth = planted(1500, 60, 2)
        fit = fit_item_factors(truth.lists(), 1.0, 6, n_iterations=8)
        ordered = np.sort(fit.deviations)[::-1]
        assert ordered[1] > 0.5
        assert ordered[2] < 0.15
        np.testing.assert_array_less(fit.deviations, np.full(6, logistic.LARGEST_DEVIATION + 1e-6))
        assert agreement(fit, truth)[0] > 0.95

    @pytest.mark.parametrize("unrated_weight", [1.0, 0.01])
    def test_a_song_that_everybody_or_nobody_likes_stays_finite(self, unrated_weight: float) -> None:
        truth = planted(60, 10, 2)
        truth.answer[:, 0], truth.answer[:, 1] = STRONG_YES, STRONG_NO
        answers = truth.lists() if unrated_weight == 1.0 else truth.plain()
        fit = fit_item_factors(answers, unrated_weight, 2, n_iterations=6)
        assert np.isfinite(fit.songs).all()
        assert fit.songs[0, -1] > fit.songs[2:, -1].max()
        assert fit.songs[1, -1] < fit.songs[2:, -1].min()

    def test_there_are_no_more_directions_than_songs(self) -> None:
        fit = fit_item_factors(planted(80, 3, 2).lists(), 1.0, 16, n_iterations=2)
        assert fit.songs.shape == (3, 4)
        assert fit.deviations.shape == (3,)


def normal_tastes() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nodes and weights of Gauss-Hermite quadrature over standard normal tastes of two directions."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    first, second = np.meshgrid(nodes, nodes)
    return np.column_stack([first.ravel(), second.ravel()]), np.outer(weights, weights).ravel() / (2 * np.pi)


def likelihood(likes: NDArray[np.bool_], songs: NDArray[np.floating[Any]]) -> float:
    """Mean log-likelihood of a listener's likes and silences, whatever the taste."""
    user_factors, weights = normal_tastes()
    eta = songs[:, -1:] + songs[:, :-1] @ user_factors.T
    by_taste = likes @ log_expit(eta) + ~likes @ log_expit(-eta)
    return float(logsumexp(by_taste, b=weights, axis=1).mean())


class TestScale:
    @pytest.mark.parametrize("answer", [STRONG_NO, NO, YES, STRONG_YES])
    def test_derivatives_are_those_of_the_log_likelihood(self, answer: int) -> None:
        scale, step = Scale(BOUNDS), 1e-4
        low, high = BOUNDS[answer - 1], BOUNDS[answer]

        def plausibility(eta: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.log(expit(eta - low) - expit(eta - high))

        eta = np.array([-4.0, -1.0, -0.2, 0.0, 0.7, 3.0])
        before, at, after = plausibility(eta - step), plausibility(eta), plausibility(eta + step)
        answers = np.full(len(eta), answer, dtype=np.int32)
        residual, curvature = interval_derivatives(eta.astype(np.float32), answers, scale)
        np.testing.assert_allclose(residual, (after - before) / (2 * step), atol=1e-5)
        np.testing.assert_allclose(curvature, -(after - 2 * at + before) / step**2, atol=1e-4)

    def test_of_plain_answers_they_are_those_of_logistic_regression(self) -> None:
        eta = np.array([-3.0, 0.5, -3.0, 0.5], dtype=np.float32)
        residual, curvature = interval_derivatives(eta, np.array([1, 1, 4, 4], dtype=np.int32), Scale())
        chance = expit(eta)
        np.testing.assert_allclose(residual, [0, 0, 1, 1] - chance, rtol=1e-5)
        np.testing.assert_allclose(curvature, chance * (1 - chance), rtol=1e-5)

    def test_as_many_strong_answers_are_expected_as_were_seen(self) -> None:
        rng = np.random.default_rng(5)
        eta = rng.normal(0.3, 1.0, 500).astype(np.float32)
        answer = rng.integers(1, 5, 500).astype(np.int32)
        bounds = Scale.learned(eta, answer).bounds
        yes, no = answer >= YES, answer <= NO
        strong = (expit(eta[yes] - bounds[3]) / expit(eta[yes])).sum()
        assert strong == pytest.approx((answer == STRONG_YES).sum(), rel=1e-4)
        strong = (expit(bounds[1] - eta[no]) / expit(-eta[no])).sum()
        assert strong == pytest.approx((answer == STRONG_NO).sum(), rel=1e-4)


class TestRareSongs:
    """In closed form, against a numerical search over tastes that are as good as normal."""

    @pytest.mark.parametrize("unrated_weight", [1.0, 0.01])
    def test_are_the_maximum_of_their_likelihood(self, unrated_weight: float) -> None:
        rng = np.random.default_rng(3)
        liking, disliking = rng.normal([0.6, 0.0], 1.0, (20, 2)), rng.normal([-0.5, 0.3], 1.0, (30, 2))
        mean, listeners, deviations = np.array([0.3, -0.2]), 4000, np.array([0.4, 0.2])
        counts = RatingCounts(
            *(np.array(each, np.float32) for each in ([20.0], [50.0], [liking.sum(0)], [disliking.sum(0)]))
        )
        share = 0.25 if unrated_weight < 1.0 else 0.004
        best = self.best(liking, disliking, unrated_weight * (listeners - 50), mean, deviations, share)
        song = closed_form_item_factors(
            counts, listeners, unrated_weight, share, deviations.astype(np.float32), mean[None].astype(np.float32)
        )
        np.testing.assert_allclose(song[0, :-1], best[:2], rtol=0.1, atol=0.01)
        assert song[0, -1] == pytest.approx(best[2], abs=0.05)

    @staticmethod
    def best(
        liking: NDArray[np.float64],
        disliking: NDArray[np.float64],
        silent: float,
        mean: NDArray[np.float64],
        deviations: NDArray[np.float64],
        share: float,
    ) -> NDArray[np.float64]:
        """w and a of highest posterior, with half a like of the usual kind added at the middle of all tastes."""
        user_factors, weights = normal_tastes()

        def improbability(song: NDArray[np.float64]) -> float:
            w, a = song[:2], song[2]
            likelihood = log_expit(a + liking @ w).sum() + log_expit(-a - disliking @ w).sum()
            likelihood += silent * weights @ log_expit(-a - user_factors @ w)
            likelihood += 0.5 * log_expit(a) + 0.5 * (1.0 - share) / share * log_expit(-a)
            return float(0.5 * np.square((w - mean) / deviations).sum() - likelihood)

        return np.asarray(minimize(improbability, np.array([0.0, 0.0, -1.0]), tol=1e-9).x)

    def test_have_what_newtons_method_finds(self) -> None:
        truth = planted(3000, 40, 2)
        rng = np.random.default_rng(0)
        truth.answer[:, :5] = np.where(rng.random((3000, 5)) < 0.1, truth.answer[:, :5], STRONG_NO)
        fit = fit_item_factors(truth.lists(), 1.0, 2, n_iterations=6)
        user_factors, likes = fit_user_factors(truth.lists(), 1.0, fit), truth.likes[:, :5].astype(np.float32)
        nothing, total = np.zeros((5, 2), dtype=np.float32), likes.sum(axis=0)
        share = float(truth.likes.mean())
        rare = closed_form_item_factors(
            RatingCounts(total, total, likes.T @ user_factors, nothing), 3000, 1.0, share, fit.deviations, nothing
        )
        assert np.corrcoef(rare[:, :-1].ravel(), fit.songs[:5, :-1].ravel())[0, 1] > 0.97
        np.testing.assert_allclose(rare[:, -1], fit.songs[:5, -1], atol=0.2)

    def test_of_which_nothing_is_known_are_as_was_expected(self) -> None:
        none, mean = np.zeros(1, dtype=np.float32), np.array([[0.5, -0.3]], dtype=np.float32)
        nothing = np.zeros((1, 2), dtype=np.float32)
        deviations = np.array([0.8, 0.4], dtype=np.float32)
        song = closed_form_item_factors(RatingCounts(none, none, nothing, nothing), 100, 0.0, 0.3, deviations, mean)
        np.testing.assert_allclose(song[0, :-1], mean[0], rtol=1e-6)
        assert song[0, -1] == pytest.approx(np.log(0.3 / 0.7) - (0.5 - 0.3) * 0.34, abs=1e-5)


class TestMostProbable:
    def test_is_the_mode(self) -> None:
        rng = np.random.default_rng(0)
        songs = rng.standard_normal((3, 3)).astype(np.float32)
        prior = GaussianPrior(np.array([0.3, -0.4]), np.array([[2.0, 0.5], [0.5, 1.5]]))
        liked, confidence = np.array([True, False, False]), np.array([1.0, 0.25, 1.0])

        def improbability(taste: NDArray[np.float64]) -> float:
            odds = songs[:, -1] + songs[:, :-1] @ taste
            answers = confidence @ (np.log1p(np.exp(odds)) - liked * odds)
            return float(answers - prior.rhs @ taste + 0.5 * taste @ prior.precision @ taste)

        best = minimize(improbability, np.zeros(2), tol=1e-10).x
        np.testing.assert_allclose(map_user_factor(prior, songs, liked, confidence), best, atol=2e-3)

    def test_answers_that_no_taste_explains_still_lead_to_one(self) -> None:
        """LogisticFactors so large that a whole Newton step from the middle leads far beyond the solution."""
        songs, sure = np.tile(np.array([30.0, -9.0], dtype=np.float32), (3, 1)), np.ones(3)
        prior = GaussianPrior(np.zeros(1), np.eye(1))
        all_liked = map_user_factor(prior, songs, np.array([True, True, True]), sure)
        assert 0.99 < expit(-9.0 + 30.0 * all_liked[0]) <= 1.0
        mixed = map_user_factor(prior, songs, np.array([True, False, False]), sure)
        assert expit(-9.0 + 30.0 * mixed[0]) == pytest.approx(1 / 3, abs=0.02)

    def test_silence_pulls_away_from_what_many_like(self) -> None:
        offset = np.array([0.0, -6.0], dtype=np.float32)
        songs = np.column_stack([np.eye(2), offset]).astype(np.float32)
        prior, chance = GaussianPrior.from_unobserved(songs, 0.5), expit(offset)
        np.testing.assert_allclose(prior.rhs, -0.5 * chance, rtol=1e-6)
        np.testing.assert_allclose(np.diag(prior.precision), 1.0 + 0.5 * chance * (1.0 - chance), rtol=1e-6)
        nothing = np.empty(0)
        taste = map_user_factor(prior, songs[:0], nothing.astype(np.bool_), nothing)
        np.testing.assert_allclose(taste, np.linalg.solve(prior.precision, prior.rhs), atol=1e-6)
        assert taste[0] < taste[1] < 0.0

    def test_a_scaled_belief_departs_from_the_middle_by_that_share(self) -> None:
        prior = GaussianPrior(np.array([-2.0]), np.array([[3.0]]))
        half, none = prior.scaled(0.5), prior.scaled(0.0)
        assert (half.rhs.item(), half.precision.item()) == (-1.0, 2.0)
        assert (none.rhs.item(), none.precision.item()) == (0.0, 1.0)
