"""The second stage: trees, features, what each term contributes, and what is learned."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from recommender.engine import (
    Catalogue,
    CollaborativeTerm,
    EngineConfig,
    Feedback,
    FeedbackKind,
    Interactions,
    Model,
    Request,
    TermsConfig,
    fit_model,
    recommend,
)
from recommender.engine.compat import tree_nodes
from recommender.engine.data.arrays import FloatArray
from recommender.engine.fitting import FactorConfig
from recommender.engine.rank import rank
from recommender.engine.ranking import FeatureSchema, TrackAttributes, Trees, candidate_rows, fit_trees
from recommender.engine.ranking.blend import BlendWeights
from recommender.engine.ranking.config import RankingConfig
from recommender.engine.ranking.ranked import RankedCandidates
from recommender.engine.ranking.ranker import INTERACTIONS
from recommender.engine.ranking.trees import _table
from recommender.engine.ranking.weights import Examples, choice_loss, hat_functions, learn_weights
from recommender.engine.score import score, score_content
from recommender.tests.engine.build import feedback_of, make_catalogue

RNG = np.random.default_rng(0)


def ranked_for(model: Model, feedback: Feedback) -> RankedCandidates:
    allowed = model.catalogue.active.copy()
    allowed[feedback.rows] = False
    return rank(model, model.listener(feedback), allowed)


class TestTrees:
    def examples(self) -> tuple[FloatArray, FloatArray]:
        features = RNG.normal(size=(800, 6)).astype(np.float32)
        features[:, 3] = np.round(features[:, 3])
        return features, (features[:, 0] * features[:, 1] + features[:, 3] > 0.5).astype(np.float32)

    def test_predict_what_scikit_learn_does(self) -> None:
        features, labels = self.examples()
        binned = np.clip(np.round(features * 8) + 20, 0, 60).astype(np.float32)
        fitted = HistGradientBoostingClassifier(max_iter=15, max_leaf_nodes=9, early_stopping=False).fit(binned, labels)
        edges = [np.arange(61, dtype=np.float32)] * 6
        trees = _table(tree_nodes(fitted), edges)
        constant = float(fitted._baseline_prediction.ravel()[0])
        np.testing.assert_allclose(trees.predict(binned) + constant, fitted.decision_function(binned), atol=1e-5)

    def test_learn_an_interaction(self) -> None:
        features, labels = self.examples()
        config = RankingConfig(trees=60, min_leaf=10)
        trees = fit_trees(features, labels > 0, np.ones(800, np.float32), config, np.random.default_rng(0))
        predicted = trees.predict(features)
        assert predicted[labels > 0].min() > np.median(predicted[labels == 0])

    def test_survive_storing_without_a_copy(self, model: Model) -> None:
        assert model.ranker is not None
        arrays = model.ranker.trees.arrays()
        again = Trees.from_arrays(arrays, int(arrays["feature"].max()) + 1)
        assert all(np.shares_memory(array, arrays[name]) for name, array in again.arrays().items())


class TestContributions:
    def test_are_what_the_score_loses_when_the_term_is_neutral(self, model: Model, feedback: Feedback) -> None:
        ranked = ranked_for(model, feedback)
        assert ranked.view is not None
        view, weight = ranked.view, ranked.view.ranker.weight
        trees, features = view.ranker.trees, view.features
        stated = ranked.contributions(ranked.rows[:8])
        for position, contributions in enumerate(stated):
            at = ranked.order[position]
            for name in model.terms:
                neutral = features.values[[at]].copy()
                columns = features.schema.columns(name)
                neutral[0, columns] = features.neutral[columns]
                neutral[0, features.schema.names.index("blend")] -= features.parts[name][at]
                lost = (
                    trees.predict(features.values[[at]])[0]
                    - trees.predict(neutral)[0]
                    + view.negative_adjustment[name][at]
                )
                expected = (1 - weight) * view.blend_parts[name][at] + weight * lost
                assert contributions[name] == pytest.approx(float(expected), abs=1e-6), name

    def test_and_the_remainder_add_up_to_the_score(self, model: Model, feedback: Feedback) -> None:
        ranked = ranked_for(model, feedback)
        rows = np.flatnonzero(ranked.allowed).astype(np.int32)
        for row, contributions in zip(rows, ranked.contributions(rows), strict=True):
            assert set(contributions) == {*model.terms, INTERACTIONS}
            assert sum(contributions.values()) == pytest.approx(float(ranked.total[row]), abs=1e-5)

    def test_candidates_stand_before_everything_else(self, model: Model, feedback: Feedback) -> None:
        ranked = ranked_for(model, feedback)
        others = np.setdiff1d(np.flatnonzero(ranked.allowed), ranked.rows)
        assert len(others)
        assert ranked.scores.tolist() == sorted(ranked.scores.tolist(), reverse=True)
        assert ranked.scores.min() > ranked.total[others].max()


class TestCandidates:
    def test_every_term_is_heard(self, model: Model, feedback: Feedback) -> None:
        listener = model.listener(feedback)
        scores = score(model, listener)
        allowed = model.catalogue.active.copy()
        config = RankingConfig(candidates=5, per_term=2)
        rows = candidate_rows(scores, allowed, config)
        for name, plain in scores.raw.items():
            best = np.argsort(np.where(allowed, -plain, np.inf), kind="stable")[:2]
            assert set(best[plain[best] > scores.scales[name][0]].tolist()) <= set(rows.tolist()), name
        assert allowed[rows].all()
        assert scores.total[rows].tolist() == sorted(scores.total[rows].tolist(), reverse=True)

    def test_nothing_allowed(self, model: Model, feedback: Feedback) -> None:
        scores = score(model, model.listener(feedback))
        assert not len(candidate_rows(scores, np.zeros(model.catalogue.n_tracks, np.bool_), RankingConfig()))


class TestLearnedWeights:
    def examples(self, strength: float) -> Examples:
        """500 queries of 8 tracks, one of which is chosen by `strength` times its first score."""
        rng = np.random.default_rng(1)
        standard = rng.normal(size=(4000, 2)).astype(np.float32)
        utility = (strength * standard[:, 0] + rng.gumbel(size=4000)).reshape(500, 8)
        labels = (utility == utility.max(axis=1, keepdims=True)).ravel()
        ones, query = np.ones(4000, np.float32), np.repeat(np.arange(500, dtype=np.int32), 8)
        return Examples(("artist", "audio"), standard, labels, ones, 5 * ones, query, ones[:500])

    def test_the_gradient_is_that_of_the_loss(self) -> None:
        examples = self.examples(1.0)
        scores = np.random.default_rng(2).normal(size=4000)
        slope = choice_loss(scores, examples)[1]
        for index in (0, 1, 77):
            step = np.zeros(4000)
            step[index] = 1e-5
            rise = choice_loss(scores + step, examples)[0] - choice_loss(scores - step, examples)[0]
            assert slope[index] == pytest.approx(rise / 2e-5, rel=1e-3, abs=1e-6)

    def test_the_loss_is_finite_however_far_the_scores_lie_apart(self) -> None:
        # Two tracks to be found, one of them far ahead of all else, the other far behind.
        labels, ones = np.array([True, True, False]), np.ones(3, np.float32)
        examples = Examples(
            ("artist",), ones[:, None], labels, ones, ones, np.zeros(3, np.int32), np.array([2.0], np.float32)
        )
        loss, slope = choice_loss(np.array([2000.0, -2000.0, 0.0]), examples)
        assert loss == pytest.approx(2000.0)
        assert slope.tolist() == pytest.approx([0.0, -1.0, 1.0])

    def test_a_query_without_alternatives_costs_nothing(self) -> None:
        ones = np.ones(1, np.float32)
        examples = Examples(
            ("artist",), ones[:, None], np.array([True]), ones, ones, np.zeros(1, np.int32), np.array([2.0], np.float32)
        )
        loss, slope = choice_loss(np.array([3.0]), examples)
        assert loss == 0.0
        assert slope.tolist() == [0.0]

    def test_follow_the_data(self) -> None:
        prior = BlendWeights((0.0, 5.0), {"artist": (1.0, 1.0), "audio": (1.0, 1.0)})
        learned = learn_weights(self.examples(2.0), prior, strength=1.0).at(5.0)
        assert learned["artist"] == pytest.approx(2.0, abs=0.25)
        assert learned["audio"] == pytest.approx(0.0, abs=0.15)

    def test_keep_the_priors_proportions_while_the_pull_is_strong(self) -> None:
        prior = BlendWeights((0.0, 5.0), {"artist": (1.0, 1.0), "audio": (0.5, 0.5)})
        learned = learn_weights(self.examples(2.0), prior, strength=1e9).at(5.0)
        assert learned["artist"] == pytest.approx(2 * learned["audio"], rel=1e-3)

    def test_never_fall_below_zero(self) -> None:
        prior = BlendWeights((0.0, 5.0), {"artist": (1.0, 1.0)})
        assert learn_weights(self.examples(-2.0), prior, strength=1.0).at(5.0)["artist"] == 0.0

    def test_hat_functions_interpolate(self) -> None:
        hats = hat_functions(np.array([0, 1, 3, 100], dtype=np.float32), (0.0, 3.0))
        np.testing.assert_allclose(hats, np.array([[1, 0], [0.5, 0.5], [0, 1], [0, 1]]), atol=1e-6)


def test_attributes_count_listeners_of_tracks_and_artists() -> None:
    catalogue = make_catalogue([[0], [0, 1], [1], []])
    rows = np.array([0, 1, 1, 2, 0], dtype=np.int32)
    listeners = np.array([0, 0, 1, 1, 2], dtype=np.int32)
    weight = np.array([1, 1, 5, 1, -1], dtype=np.float32)
    attributes = TrackAttributes.of(catalogue, Interactions(listeners, rows, weight, np.full(3, -1, np.int32)))
    assert attributes.listeners.tolist() == [1, 2, 1, 0]
    assert attributes.artist_listeners.tolist() == [3, 3, 3, 0]
    assert attributes.artist_tracks.tolist() == [2, 2, 2, 0]


def test_the_layout_gives_every_term_its_own_columns() -> None:
    layout = FeatureSchema.of(("artist", "item_to_item", "popularity"))
    assert len(set(layout.names)) == len(layout.names)
    assert [layout.names[column] for column in layout.columns("artist")] == [
        f"artist.{name}" for name in ("standard", "plain", "rank", "ratio")
    ]
    assert len(layout.columns("item_to_item")) == 6


def clustered(n_clusters: int = 6, per_cluster: int = 20, n_listeners: int = 150) -> tuple[Catalogue, Interactions]:
    """Listeners who like one cluster each; every song has an artist of its own, so that only listeners link them."""
    rng = np.random.default_rng(2)
    listeners, rows = [], []
    for listener in range(n_listeners):
        cluster = listener % n_clusters
        liked = cluster * per_cluster + rng.choice(per_cluster, size=8, replace=False)
        listeners += [listener] * 9
        rows += [*liked.tolist(), int(rng.integers(n_clusters * per_cluster))]
    ones = np.ones(len(rows), dtype=np.float32)
    none = np.full(n_listeners, -1, dtype=np.int32)
    interactions = Interactions(np.array(listeners, np.int32), np.array(rows, np.int32), ones, none)
    return make_catalogue([[row] for row in range(n_clusters * per_cluster)]), interactions


@pytest.fixture(scope="module")
def crowd() -> Model:
    ranking = RankingConfig(candidates=120, trees=30, min_leaf=10, shrinkage_listeners=10.0)
    config = EngineConfig(terms=TermsConfig(factors=FactorConfig(factors=16, regularisation=3.0)), ranking=ranking)
    return fit_model(*clustered(), config, np.random.default_rng(0))


class TestDislikes:
    @staticmethod
    def fall_by_cluster(model: Model, disliked: int, liked: tuple[int, ...]) -> NDArray[np.float64]:
        """How far each cluster falls by dislikes of the first two songs of one, of the next two, and so on: means."""
        likes = [(row, FeedbackKind.LIKE, 1, 0) for row in liked]
        before, fell = ranked_for(model, feedback_of(*likes)).total, np.full((10, 120), np.nan)
        for number, rows in enumerate(20 * disliked + np.arange(20).reshape(10, 2)):
            dislikes = [(int(row), FeedbackKind.DISLIKE, 1, 0) for row in rows]
            fell[number] = before - ranked_for(model, feedback_of(*likes, *dislikes)).total
            fell[number, [*rows, *liked]] = np.nan
        return np.asarray(np.nanmean(fell.reshape(10, 6, 20), axis=(0, 2)))

    @pytest.mark.parametrize("disliked", range(1, 6))
    def test_push_the_rest_of_their_cluster_down_with_the_ranker_on(self, crowd: Model, disliked: int) -> None:
        """Nobody here has disliked anything: a no is taken for what a silence is, little where no like was likely."""
        assert crowd.ranker is not None
        assert crowd.ranker.weight > 0.9
        fell = self.fall_by_cluster(crowd, disliked, liked=(0, 1))
        assert fell[disliked] > np.delete(fell, [0, disliked]).mean()

    @pytest.mark.parametrize("disliked", range(6))
    def test_alone_put_their_cluster_last_on_average(self, crowd: Model, disliked: int) -> None:
        fell = self.fall_by_cluster(crowd, disliked, liked=())
        assert int(fell.argmax()) == disliked
        assert fell[disliked] > np.delete(fell, disliked).mean() + 0.1

    @pytest.mark.parametrize("name", ["collaborative", "item_to_item"])
    def test_are_not_heard_by_what_lives_on_lists_of_others(self, crowd: Model, name: str) -> None:
        liked = ranked_for(crowd, feedback_of((20, FeedbackKind.LIKE, 1, 0)))
        disliking = ranked_for(crowd, feedback_of((20, FeedbackKind.LIKE, 1, 0), (21, FeedbackKind.DISLIKE, 1, 0)))
        assert (disliking.all_scores.raw[name] == liked.all_scores.raw[name]).all()

    def test_skips_lower_what_goes_with_them(self, crowd: Model) -> None:
        liked = ranked_for(crowd, feedback_of((20, FeedbackKind.LIKE, 1, 0)))
        skipped = ranked_for(crowd, feedback_of((20, FeedbackKind.LIKE, 1, 0), (21, FeedbackKind.SKIP, 1, 0)))
        assert skipped.all_scores.raw["item_to_item"][25] < liked.all_scores.raw["item_to_item"][25]

    def test_a_page_of_skips_does_not_drown_a_like(self, crowd: Model) -> None:
        skips = [(row, FeedbackKind.SKIP, 1, 0) for row in range(60, 110)]
        page = recommend(crowd, feedback_of((20, FeedbackKind.LIKE, 1, 0), *skips), Request(k=5), RNG)
        assert all(20 <= item.row < 40 for item in page.items)


class TestThinData:
    def test_one_listener_alone_gets_the_content_blend(self, catalogue: Catalogue, interactions: Interactions) -> None:
        alone = interactions.of_listeners(np.arange(interactions.n_listeners) == 0)
        model = fit_model(catalogue, alone, EngineConfig(), np.random.default_rng(0))
        ranked = ranked_for(model, Feedback.likes([30, 31]))
        content = score_content(model, model.listener(Feedback.likes([30, 31])))
        assert ranked.view is None
        np.testing.assert_array_equal(ranked.total, content.total)

    def test_a_few_listeners_do_not_teach_a_ranker(self, catalogue: Catalogue, interactions: Interactions) -> None:
        few = interactions.of_listeners(np.arange(interactions.n_listeners) < 20)
        model = fit_model(catalogue, few, EngineConfig(), np.random.default_rng(0))
        assert model.ranker is None
        prior = 2.0
        assert CollaborativeTerm.default_weight == prior
        assert model.weights.weights["collaborative"][2] == pytest.approx(
            prior * 20 / (20 + model.config.blend.shrinkage_listeners)
        )

    def test_the_ranker_counts_more_the_more_listeners_it_has_seen(self, model: Model) -> None:
        assert model.ranker is not None
        assert model.ranker.weight == pytest.approx(60 / 90)
        assert model.ranker.for_evidence(0.0).weight == 0.0
        assert model.ranker.for_evidence(0.5).weight == pytest.approx(model.ranker.weight / 2)
        assert model.ranker.for_evidence(7.0) is model.ranker

    def test_what_was_learned_can_be_used_again(
        self, model: Model, catalogue: Catalogue, interactions: Interactions, config: EngineConfig
    ) -> None:
        again = fit_model(catalogue, interactions, config, np.random.default_rng(9), second_stage=model.second_stage)
        assert again.weights is model.weights
        assert again.ranker is model.ranker
