from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logit

from recommender.engine import (
    Adjustments,
    Catalogue,
    EngineConfig,
    Feedback,
    FeedbackKind,
    Interactions,
    Model,
    Request,
    load_model,
    recommend,
    save_model,
    update_model,
)
from recommender.engine.data import NO_ADJUSTMENTS
from recommender.engine.data.arrays import FloatArray
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.fit import fit_model
from recommender.engine.fitting.implicit_negatives import PreferenceConfig
from recommender.engine.rank import rank
from recommender.engine.ranking.config import RankingConfig
from recommender.engine.ranking.exclusions import allowed_rows
from recommender.engine.ranking.ranker import preference_adjustment
from recommender.engine.serving.policy import ADJUSTMENTS
from recommender.engine.serving.recommend import rank_request
from recommender.engine.terms import no_progress
from recommender.engine.terms.base import Change, TermsConfig
from recommender.engine.terms.preference import PreferenceTerm
from recommender.tests.engine.build import feedback_of, make_catalogue
from recommender.tests.engine.people import World, learned_from
from recommender.tests.engine.ranking.test_ranking import clustered

LIKE, SKIP, DISLIKE = FeedbackKind.LIKE, FeedbackKind.SKIP, FeedbackKind.DISLIKE
CONFIG = EngineConfig()
NOBODYS = 120
"""The first song that nobody has heard."""
ALL = np.arange(122, dtype=np.int32)
OTHERS = (NOBODYS, NOBODYS + 1)


def listener(*signals: tuple[int, FeedbackKind], adjustments: Adjustments = NO_ADJUSTMENTS) -> ListenerProfile:
    feedback = feedback_of(*((row, kind, 1, 0) for row, kind in signals))
    return ListenerProfile.from_feedback(replace(feedback, adjustments=adjustments), CONFIG.feedback)


def likes(*rows: int) -> ListenerProfile:
    return listener(*((row, LIKE) for row in rows))


def with_unheard() -> Catalogue:
    """The songs of `clustered`, one more by the artist of song 3, and one by somebody of whom nothing was heard."""
    return make_catalogue([*([row] for row in range(NOBODYS)), [3], [NOBODYS]])


def fit(catalogue: Catalogue, interactions: Interactions, config: TermsConfig = CONFIG.terms) -> PreferenceTerm:
    return PreferenceTerm.fit(catalogue, interactions, config, np.random.default_rng(0), no_progress)


def rewritten(interactions: Interactions, row: int, weight: float) -> Interactions:
    """Everybody who has answered the song has answered it with this weight."""
    weights = np.where(interactions.row == row, np.float32(weight), interactions.weight)
    return replace(interactions, weight=weights)


@pytest.fixture(scope="module")
def term() -> PreferenceTerm:
    return fit(with_unheard(), clustered()[1])


@pytest.fixture(scope="module")
def of_shown() -> PreferenceTerm:
    """Fitted on people to whom songs were shown at random, and who like and dislike some."""
    world = World(songs=NOBODYS)
    config = replace(CONFIG.terms, preference=PreferenceConfig(n_factors=4, n_iterations=5))
    return fit(world.catalogue(), learned_from(world.shown(1)), config)


@pytest.fixture(scope="module")
def fitted() -> Model:
    catalogue, interactions = clustered()
    return fit_model(catalogue, interactions, CONFIG, np.random.default_rng(0))


def known(
    offset: NDArray[np.float64], loadings: NDArray[np.float64], row_index: list[int], heard: int, silence: float = 1.0
) -> PreferenceTerm:
    """A term of so many heard songs, whose lines are the first; `place` has the line of each track."""
    directions = loadings.shape[1]
    arrays = {
        "table": np.column_stack([loadings, offset]).astype(np.float32),
        "place": np.array(row_index, dtype=np.int32),
        "heard": np.array([heard], dtype=np.int32),
        "pull": np.full(directions, -1.0),
        "precision": 2.0 * np.eye(directions),
        "silence": np.array([silence]),
    }
    return PreferenceTerm(arrays, make_catalogue([[row] for row in range(len(row_index))]), CONFIG.terms)


class TestScore:
    def test_is_the_log_odds_at_the_most_probable_taste(self) -> None:
        rng = np.random.default_rng(0)
        offset, loadings = rng.standard_normal(4), rng.standard_normal((4, 3))
        term = known(offset, loadings, [0, 1, 3, 2], heard=4)
        who = ListenerProfile.from_feedback(
            feedback_of((1, LIKE, 1, 0), (3, SKIP, 1, 60), (0, DISLIKE, 1, 0)), CONFIG.feedback
        )
        # Two half-lives leave a quarter of the skip.
        likes, skips = 1.0, 0.25
        share = likes / (likes + 15.0) * 10.0 / (skips + 10.0)

        def improbability(taste: NDArray[np.float64]) -> float:
            disliked, liked, skipped = (offset + loadings @ taste)[:3]
            # All of the silence pulls by -1 and asks for a precision of 2.
            prior = share * taste.sum() + 0.5 * (1.0 + share) * taste @ taste
            answers = np.log1p(np.exp([-liked, disliked, skipped])) @ [1.0, 1.0, 0.25]
            return float(answers + prior)

        taste = minimize(improbability, np.zeros(3), tol=1e-10).x
        np.testing.assert_allclose(term.score(who), (offset + loadings @ taste)[[0, 1, 3, 2]], atol=1e-3)

    def test_a_like_raises_the_songs_of_its_listeners(self, term: PreferenceTerm) -> None:
        moved = term.score(likes(0, 1)) - term.score(likes(60, 61))
        assert moved[2:20].min() > moved[20:NOBODYS].max()
        assert moved[62:80].max() < moved[:60].min()

    @pytest.mark.parametrize("kind", [SKIP, DISLIKE])
    def test_a_no_takes_down_what_goes_with_it(self, term: PreferenceTerm, kind: FeedbackKind) -> None:
        # Listeners of `clustered` like songs 0..19, 20..39, ... together.
        scores = term.score(listener((0, LIKE), (21, kind)))
        assert scores[1:20].min() > scores[22:40].max()
        fell = (term.score(likes(0)) - scores)[:NOBODYS].reshape(6, 20)
        # With one answer more, silence tells more: that goes against whatever many like.
        assert fell[1, 2:].mean() > fell[2:].mean() + 0.02

    def test_a_no_to_what_was_to_be_expected_says_less(self, term: PreferenceTerm) -> None:
        """Of who likes songs of the first cluster, a no to another of them is news."""
        plain = term.score(likes(0, 1))
        near, far = (plain - term.score(listener((0, LIKE), (1, LIKE), (row, DISLIKE))) for row in (2, 62))
        assert near[3:20].mean() > 4 * abs(far[63:80].mean())

    def test_a_dislike_takes_down_what_goes_with_it_where_dislikes_were_learned_from(
        self, of_shown: PreferenceTerm
    ) -> None:
        loadings = of_shown.item_vectors(np.arange(NOBODYS, dtype=np.int32))[:, :-1]
        for row in (0, 17, 101):
            liked, disliked = of_shown.score(likes(row)), of_shown.score(listener((row, DISLIKE)))
            alike = loadings @ loadings[row]
            assert np.corrcoef(liked - disliked, alike)[0, 1] > 0.99
            assert liked[row] > disliked[row]

    def test_who_has_answered_nothing_is_told_nothing(self, term: PreferenceTerm) -> None:
        stated = ListenerProfile.from_feedback(Feedback(artists=np.array([3], np.int32)), CONFIG.feedback)
        for who in (likes(), ListenerProfile.anonymous(), stated):
            assert term.score(who).tolist() == [0.0] * len(ALL)
            assert term.explain(who, ALL[:2]) == [[], []]

    def test_a_song_nobody_has_heard_goes_with_its_artist(self, term: PreferenceTerm) -> None:
        assert term.knows(ALL).tolist() == [row < NOBODYS for row in ALL]
        near, far = term.score(likes(0, 1)), term.score(likes(60, 61))
        assert near[NOBODYS] > far[NOBODYS] + 0.1
        assert near[NOBODYS + 1] == far[NOBODYS + 1]
        assert near[NOBODYS] < near[3]

    def test_nothing_is_taken_off_twice(self, term: PreferenceTerm) -> None:
        """What is left of the listener for the ranking by likes alone has the same opinion."""
        turned = Adjustments(artists=np.array([5], np.int32), artist_factors=np.array([0.5], np.float32))
        who = listener((0, LIKE), (21, DISLIKE), (41, SKIP), adjustments=turned)
        for part in (
            who.positive_only(),
            who.without_adjustments(),
            who.without_dislikes(),
            who.positive_only().positive_only(),
        ):
            np.testing.assert_array_equal(term.score(part), term.score(who))
        causes = [term.explain(part, ALL[:30], 3) for part in (who, who.positive_only())]
        assert causes[0] == causes[1]


class TestSilence:
    """How far it is a no that the listener has not answered songs."""

    @staticmethod
    def level(term: PreferenceTerm, *signals: tuple[int, FeedbackKind]) -> float:
        """How far the taste is drawn by silence alone: answers are all to a song that says nothing about taste."""
        return float(term.user_vector(listener(*signals))[0])

    @pytest.fixture
    def term(self) -> PreferenceTerm:
        """One song that says all about taste, and many that say nothing."""
        loadings = np.eye(40, 1)
        return known(np.zeros(40), loadings, list(range(40)), heard=40)

    def test_the_more_is_liked_the_more(self, term: PreferenceTerm) -> None:
        for count in (1, 15, 30):
            share = count / (count + 15.0)
            level = self.level(term, *((row, LIKE) for row in range(1, count + 1)))
            assert level == pytest.approx(-share / (1.0 + share), rel=1e-5)

    def test_dislikes_leave_it_as_it_is(self, term: PreferenceTerm) -> None:
        likes = [(row, LIKE) for row in range(1, 6)]
        dislikes = [(row, DISLIKE) for row in range(6, 26)]
        assert self.level(term, *likes, *dislikes) == self.level(term, *likes)
        assert self.level(term, *dislikes) == 0.0

    def test_skips_fade_it(self, term: PreferenceTerm) -> None:
        level = self.level(term, *((row, LIKE) for row in range(1, 6)), *((row, SKIP) for row in range(6, 16)))
        share = 5.0 / (5.0 + 15.0) * 0.5
        assert level == pytest.approx(-share / (1.0 + share), rel=1e-5)

    def test_a_skip_of_a_song_that_was_disliked_is_no_skip(self, term: PreferenceTerm) -> None:
        both = [(row, kind) for row in range(1, 21) for kind in (DISLIKE, SKIP)]
        assert self.level(term, *both) == self.level(term, *((row, DISLIKE) for row in range(1, 21)))


class TestCauses:
    @pytest.fixture
    def who(self) -> ListenerProfile:
        signals = (
            (0, LIKE, 1, 0),
            (1, LIKE, 1, 9),
            (21, DISLIKE, 1, 0),
            (41, SKIP, 1, 5),
            (61, FeedbackKind.PLAY, 3, 2),
        )
        return ListenerProfile.from_feedback(feedback_of(*signals), CONFIG.feedback)

    def test_sum_to_the_score(self, term: PreferenceTerm, who: ListenerProfile) -> None:
        sums = [sum(cause.value for cause in causes) for causes in term.explain(who, ALL)]
        np.testing.assert_allclose(sums, term.score(who), atol=1e-4)

    def test_sum_to_the_score_where_dislikes_were_learned_from(
        self, of_shown: PreferenceTerm, who: ListenerProfile
    ) -> None:
        rows = np.arange(NOBODYS, dtype=np.int32)
        sums = [sum(cause.value for cause in causes) for causes in of_shown.explain(who, rows)]
        np.testing.assert_allclose(sums, of_shown.score(who), atol=1e-4)

    def test_with_a_limit_are_the_largest_of_all(self, term: PreferenceTerm, who: ListenerProfile) -> None:
        for row, some, everything in zip(ALL, term.explain(who, ALL, 2), term.explain(who, ALL), strict=True):
            tracks = [cause for cause in everything if cause.kind == "track" and cause.index != row and cause.value > 0]
            largest = sorted((cause.value for cause in tracks), reverse=True)[:2]
            assert [cause.value for cause in some] == pytest.approx(largest, abs=1e-6)

    def test_are_told_by_what_was_done(self, of_shown: PreferenceTerm, who: ListenerProfile) -> None:
        stances = {0: "liked", 1: "liked", 21: "disliked", 41: "skipped", 61: "played"}
        for causes in of_shown.explain(who, np.arange(70, 90, dtype=np.int32)):
            tracks = {cause.index: cause.stance for cause in causes if cause.kind == "track"}
            assert tracks == stances
            assert [cause.index for cause in causes if cause.kind == "listeners"] == [-1]

    def test_a_like_speaks_for_what_is_like_it_and_a_dislike_against(
        self, of_shown: PreferenceTerm, who: ListenerProfile
    ) -> None:
        rows = np.setdiff1d(np.arange(NOBODYS), who.rows).astype(np.int32)
        values: dict[int, list[float]] = {0: [], 21: []}
        for causes in of_shown.explain(who, rows):
            for cause in causes:
                if cause.index in values:
                    values[cause.index].append(cause.value)
        loadings = of_shown.item_vectors(np.arange(NOBODYS, dtype=np.int32))[:, :-1]
        alike = loadings[rows] @ loadings[[0, 21]].T
        assert np.corrcoef(values[0], alike[:, 0])[0, 1] > 0.9
        assert np.corrcoef(values[21], alike[:, 1])[0, 1] < -0.9


class TestFit:
    def test_few_songs_are_enough_to_learn_the_directions_from(self, term: PreferenceTerm) -> None:
        few = fit(
            with_unheard(),
            clustered()[1],
            replace(CONFIG.terms, preference=replace(CONFIG.terms.preference, n_anchor_items=60)),
        )
        one_like, another = ((each.score(likes(0, 1)) - each.score(likes(60, 61)))[:NOBODYS] for each in (few, term))
        assert np.corrcoef(one_like, another)[0, 1] > 0.8

    def test_some_of_the_listeners_are_enough_too(self, term: PreferenceTerm) -> None:
        settings = replace(CONFIG.terms.preference, max_listeners=75)
        few = fit(with_unheard(), clustered()[1], replace(CONFIG.terms, preference=settings))
        one_like, another = ((each.score(likes(0, 1)) - each.score(likes(60, 61)))[:NOBODYS] for each in (few, term))
        assert np.corrcoef(one_like, another)[0, 1] > 0.8

    def test_too_few_listeners_have_no_opinion(self) -> None:
        catalogue, everybody = clustered()
        least = CONFIG.terms.preference.min_listeners
        few, enough = (everybody.of_listeners(np.arange(150) < count) for count in (least - 1, least))
        silent = fit(catalogue, few)
        assert silent.score(likes(0, 1)).tolist() == [0.0] * NOBODYS
        assert silent.implicit_negative_weight == 1.0
        assert not silent.knows(ALL[:NOBODYS]).any()
        assert [cause.value for causes in silent.explain(likes(0), ALL[:3]) for cause in causes if cause.value] == []
        assert np.ptp(fit(catalogue, enough).score(likes(0, 1))) > 0.5

    def test_offsets_follow_how_many_like_a_song(self, term: PreferenceTerm) -> None:
        counts = np.bincount(clustered()[1].row, minlength=NOBODYS)
        offset = term.item_vectors(ALL[:NOBODYS])[:, -1]
        assert np.corrcoef(offset, logit(counts / 150.0))[0, 1] > 0.8

    def test_dislikes_of_others_lower_a_song(self, of_shown: PreferenceTerm) -> None:
        world = World(songs=NOBODYS)
        people, config = (
            learned_from(world.shown(1)),
            replace(CONFIG.terms, preference=PreferenceConfig(n_factors=4, n_iterations=5)),
        )
        share = np.bincount(people.row, people.weight > 0, NOBODYS) / np.bincount(people.row, minlength=NOBODYS)
        rows = np.arange(NOBODYS, dtype=np.int32)
        assert np.corrcoef(of_shown.item_vectors(rows)[:, -1], share)[0, 1] > 0.9
        disliked = fit(world.catalogue(), rewritten(people, 7, -1.0), config)
        assert disliked.knows(rows).all()
        offset = disliked.item_vectors(rows)[:, -1]
        assert offset[7] == offset.min()
        assert offset[7] < of_shown.item_vectors(rows)[7, -1] - 1.0

    def test_how_much_of_a_no_silence_is_differs(self, term: PreferenceTerm, of_shown: PreferenceTerm) -> None:
        assert (term.implicit_negative_weight, of_shown.implicit_negative_weight) == (1.0, 0.01)

    def test_songs_learned_in_closed_form_fit_in_with_the_others(self) -> None:
        """Where all but a few songs are rare, what is learned of them is much as if they were not."""
        world = World(songs=NOBODYS)
        people, rows = learned_from(world.shown(1)), np.arange(NOBODYS, dtype=np.int32)
        settings = PreferenceConfig(n_factors=4, n_iterations=5, implicit_negative_weights=(0.01,))
        whole, most = (
            fit(world.catalogue(), people, replace(CONFIG.terms, preference=replace(settings, n_anchor_items=songs)))
            for songs in (NOBODYS, 80)
        )
        offsets = np.stack([each.item_vectors(rows)[:, -1] for each in (whole, most)])
        assert np.corrcoef(offsets[0], offsets[1])[0, 1] > 0.95
        who = listener((0, LIKE), (1, DISLIKE), (2, LIKE), (3, DISLIKE))
        assert np.corrcoef(whole.score(who), most.score(who))[0, 1] > 0.9


class TestUpdate:
    def test_learns_new_songs_and_keeps_what_silence_is(self, of_shown: PreferenceTerm) -> None:
        world = World(songs=NOBODYS)
        people = learned_from(world.shown(1))
        catalogue = make_catalogue([[row] for row in range(NOBODYS + 2)])
        fresh = np.flatnonzero(people.row == 5)
        # Who has answered song 5 has answered the first new one alike.
        more = Interactions(
            np.append(people.listener, people.listener[fresh]),
            np.append(people.row, np.full(len(fresh), NOBODYS, np.int32)),
            np.append(people.weight, people.weight[fresh]),
            people.region,
        )
        config = replace(
            CONFIG.terms, preference=PreferenceConfig(n_factors=4, n_iterations=5, implicit_negative_weights=(1.0,))
        )
        change = Change(np.append(np.arange(NOBODYS), [-1, -1]).astype(np.int32), np.arange(NOBODYS + 2) >= NOBODYS)
        updated = of_shown.updated(change, catalogue, more, config, np.random.default_rng(0))
        assert updated.implicit_negative_weight == of_shown.implicit_negative_weight == 0.01
        assert updated.knows(np.array(OTHERS, np.int32)).tolist() == [True, False]
        scores = updated.score(likes(5))
        assert scores[NOBODYS] > np.quantile(scores, 0.9)

    def test_that_had_no_opinion_learns_what_silence_is(self) -> None:
        world = World(songs=NOBODYS)
        people, catalogue = learned_from(world.shown(1)), world.catalogue()
        silent = fit(catalogue, people.of_listeners(np.arange(people.n_listeners) < 10))
        config = replace(CONFIG.terms, preference=PreferenceConfig(n_factors=4, n_iterations=5))
        change = Change(np.arange(NOBODYS, dtype=np.int32), np.ones(NOBODYS, dtype=np.bool_))
        updated = silent.updated(change, catalogue, people, config, np.random.default_rng(0))
        assert (silent.implicit_negative_weight, updated.implicit_negative_weight) == (1.0, 0.01)

    def test_of_a_model_brings_it_up_to_date(self, fitted: Model) -> None:
        interactions = clustered()[1]
        more = Interactions(
            np.append(interactions.listener, np.int32(0)),
            np.append(interactions.row, np.int32(NOBODYS + 1)),
            np.append(interactions.weight, np.float32(1.0)),
            interactions.region,
        )
        updated = update_model(fitted, with_unheard(), more, np.random.default_rng(0)).terms["preference"]
        assert isinstance(updated, PreferenceTerm)
        assert updated.knows(np.array(OTHERS, np.int32)).tolist() == [False, True]


class TestStored:
    def test_and_opened_it_says_the_same(self, fitted: Model, tmp_path: Path) -> None:
        save_model(fitted, tmp_path / "1")
        opened = load_model(tmp_path / "1", verify=True)
        before, after = (model.terms["preference"] for model in (fitted, opened))
        assert set(before.arrays()) == {"table", "place", "heard", "pull", "precision", "silence"}
        for name, array in before.arrays().items():
            np.testing.assert_array_equal(after.arrays()[name], array)
        who = listener((0, LIKE), (21, DISLIKE))
        np.testing.assert_array_equal(after.score(who), before.score(who))

    def test_a_model_from_before_the_term_opens_and_recommends(self, fitted: Model, tmp_path: Path) -> None:
        """Its answers stood in arrays of their own, and their settings in the configuration."""
        earlier = without_preference(fitted)
        save_model(earlier, tmp_path / "1")
        manifest = json.loads((tmp_path / "1" / "manifest.json").read_text())
        del manifest["config"]["terms"]["preference"]
        del manifest["sha256"]
        manifest["config"]["answers"] = {"weight": 1.2, "half_refusals": 3.0}
        file = tmp_path / "1" / "answers.table.npy"
        np.save(file, np.zeros((2, 3), dtype=np.float32))
        manifest["arrays"]["answers.table"] = {
            "file": file.name,
            "bytes": file.stat().st_size,
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
            "shape": [2, 3],
            "dtype": "float32",
        }
        (tmp_path / "1" / "manifest.json").write_text(json.dumps(manifest))
        opened = load_model(tmp_path / "1", verify=True)
        assert "preference" not in opened.terms
        feedback = feedback_of((0, LIKE, 1, 0), (21, DISLIKE, 1, 0))
        rows = [item.row for item in recommend(opened, feedback, Request(), np.random.default_rng(0)).items]
        same = [item.row for item in recommend(earlier, feedback, Request(), np.random.default_rng(0)).items]
        assert rows == same
        assert len(rows) == Request().k

    def test_a_model_from_before_the_term_can_be_updated(self, fitted: Model) -> None:
        catalogue, interactions = clustered()
        updated = update_model(without_preference(fitted), catalogue, interactions, np.random.default_rng(0))
        assert list(updated.terms) == [name for name in fitted.terms if name != "preference"]


def without_preference(model: Model) -> Model:
    """The model as it was before there was the term; without the ranker, which has learned from it."""
    terms = {name: each for name, each in model.terms.items() if name != "preference"}
    statistics = {name: each for name, each in model.score_statistics.items() if name != "preference"}
    weights, content = (each.without(["preference"]) for each in (model.weights, model.content_weights))
    return replace(
        model, terms=terms, score_statistics=statistics, weights=weights, content_weights=content, ranker=None
    )


class TestAfterRefusals:
    SETTINGS = RankingConfig(negatives_weight=2.0, half_negatives=3.0)

    def added(self, refusals: float, spread: float = 0.5) -> FloatArray:
        rng = np.random.default_rng(0)
        liked = rng.standard_normal(20).astype(np.float32)
        liked *= np.float32(spread) / liked.std()
        log_odds, known = rng.standard_normal(20).astype(np.float32), np.ones(20, dtype=np.bool_)
        return preference_adjustment(log_odds, known, liked, refusals, self.SETTINGS)

    def test_is_standardised_and_grows_with_refusals(self) -> None:
        added = self.added(3.0)
        assert added.mean() == pytest.approx(0.0, abs=1e-6)
        # Half of 2, in spreads of the scores.
        assert added.std() == pytest.approx(0.5 * 2.0 * 0.5, rel=1e-5)
        assert self.added(9.0).std() == pytest.approx(0.75 * 2.0 * 0.5, rel=1e-5)
        assert self.added(3.0, spread=2.0).std() == pytest.approx(0.5 * 2.0 * 2.0, rel=1e-5)

    def test_nothing_is_added_without_refusals(self) -> None:
        assert not self.added(0.0).any()

    def test_the_likelier_are_raised(self) -> None:
        log_odds, ones = np.array([-1.0, 2.0, 0.0], np.float32), np.ones(3, np.bool_)
        added = preference_adjustment(log_odds, ones, np.array([2.0, 1.0, 0.0], np.float32), 3.0, self.SETTINGS)
        assert added[1] > added[2] > added[0]

    def test_of_songs_nobody_has_answered_nothing_is_said(self) -> None:
        log_odds, liked = np.array([-1.0, 9.0, 1.0, 7.0], np.float32), np.array([2.0, 0.0, 0.0, 2.0], np.float32)
        known = np.array([True, False, True, False])
        added = preference_adjustment(log_odds, known, liked, 1e9, self.SETTINGS)
        # Half of the candidates are known, squared.
        np.testing.assert_allclose(added, [-0.5, 0.0, 0.5, 0.0], rtol=1e-5)
        assert not preference_adjustment(log_odds, np.zeros(4, np.bool_), liked, 3.0, self.SETTINGS).any()

    def test_widening_the_candidates_changes_nothing_for_the_others(self) -> None:
        rng = np.random.default_rng(1)
        liked, log_odds = np.sort(rng.standard_normal(50))[::-1].astype(np.float32), rng.standard_normal(50)
        known, settings = np.arange(50) % 3 > 0, replace(self.SETTINGS, candidates=30, coverage_top_n=20)
        narrow, wide = (
            preference_adjustment(log_odds[:many].astype(np.float32), known[:many], liked[:many], 3.0, settings)
            for many in (30, 50)
        )
        assert narrow.any()
        np.testing.assert_array_equal(wide[:30], narrow)

    def test_of_no_candidates_nothing_is_said(self) -> None:
        none = np.empty(0, dtype=np.float32)
        assert preference_adjustment(none, none.astype(np.bool_), none, 3.0, self.SETTINGS).shape == (0,)


class TestRanking:
    def test_contributions_still_sum_to_the_score(self, fitted: Model) -> None:
        feedback = feedback_of((0, LIKE, 1, 0), *((row, SKIP, 1, 0) for row in (21, 41, 42)), (61, DISLIKE, 1, 0))
        _listener, ranked = rank_request(fitted, feedback, Request(k=8))
        page = recommend(fitted, feedback, Request(k=8), np.random.default_rng(0))
        assert all(item.contributions["preference"] for item in page.items)
        for item in page.items:
            assert sum(item.contributions.values()) == item.score
            by_terms = item.score - sum(item.contributions.get(name, 0.0) for name in ADJUSTMENTS)
            assert by_terms == pytest.approx(float(ranked.total[item.row]), abs=1e-5)

    def test_without_refusals_nothing_is_taken_off(self, fitted: Model) -> None:
        turned = Adjustments(artists=np.array([5], np.int32), artist_factors=np.array([0.0], np.float32))
        feedback = replace(Feedback.likes([0, 5, 20]), adjustments=turned)
        # Among the candidates is a song by the artist who was turned down.
        view = rank(fitted, fitted.listener(feedback), np.ones(NOBODYS, dtype=np.bool_)).view
        assert view is not None
        assert not view.negative_adjustment["preference"].any()
        assert view.negative_adjustment["artist"].any()

    def test_with_them_what_is_taken_off_is_what_refusals_add(self, fitted: Model) -> None:
        feedback = feedback_of((0, LIKE, 1, 0), (21, SKIP, 1, 0), (41, DISLIKE, 1, 0))
        listener, allowed = fitted.listener(feedback), allowed_rows(fitted.catalogue, excluded=feedback.rows)
        ranked = rank(fitted, listener, allowed)
        view = ranked.view
        assert view is not None
        rows = np.empty(len(ranked.rows), dtype=np.int32)
        rows[ranked.order] = ranked.rows
        parts, opinion = view.features.parts, view.ranker.trees.predict(view.features.values)
        term = fitted.terms["preference"]
        assert isinstance(term, PreferenceTerm)
        liked = view.ranker.scores(opinion, parts, {})
        log_odds = ranked.first_stage.raw["preference"][rows]
        expected = preference_adjustment(log_odds, term.knows(rows), liked, listener.n_negatives, CONFIG.ranking)
        assert expected.any()
        np.testing.assert_allclose(view.negative_adjustment["preference"], expected, atol=1e-6)


@pytest.mark.parametrize("weight", [-1.0, -0.2, 0.25])
def test_listeners_who_all_say_the_same_are_no_error(weight: float) -> None:
    catalogue, interactions = clustered()
    same = replace(interactions, weight=np.full_like(interactions.weight, weight))
    term = PreferenceTerm.fit(catalogue, same, CONFIG.terms, np.random.default_rng(0), no_progress)
    assert np.isfinite(term.score(listener((0, LIKE), (1, DISLIKE)))).all()
    fitted = fit_model(catalogue, same, CONFIG, np.random.default_rng(0))
    feedback = feedback_of((0, LIKE, 1, 0), (1, DISLIKE, 1, 0))
    page = recommend(fitted, feedback, Request(k=5), np.random.default_rng(0))
    assert len(page.items) == 5
    assert all(np.isfinite(item.score) for item in page.items)
