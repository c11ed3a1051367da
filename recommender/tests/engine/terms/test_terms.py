"""What each term says, on catalogues small enough to work out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from recommender.engine import Catalogue, EngineConfig, Feedback, FeedbackKind, Interactions, TermsConfig
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.terms import TERMS, LinearTerm, Term, no_progress
from recommender.tests.engine.build import COLUMNS, feedback_of, make_catalogue

CONFIG = EngineConfig(terms=TermsConfig(region_min_listeners=2, region_shrinkage=2.0))


def fit(name: str, catalogue: Catalogue, interactions: Interactions | None = None) -> Term:
    seen = interactions if interactions is not None else Interactions.empty()
    return TERMS[name].fit(catalogue, seen, CONFIG.terms, np.random.default_rng(0), no_progress)


def listener(*rows: int, **stated: Any) -> ListenerProfile:
    return ListenerProfile.from_feedback(
        feedback_of(*((row, FeedbackKind.LIKE, 1, 0) for row in rows), **stated), CONFIG.feedback
    )


def dislike(*rows: int) -> ListenerProfile:
    return ListenerProfile.from_feedback(
        feedback_of(*((row, FeedbackKind.DISLIKE, 1, 0) for row in rows)), CONFIG.feedback
    )


def with_features(**columns: list[float]) -> Catalogue:
    n = len(next(iter(columns.values())))
    features = np.full((n, len(COLUMNS)), np.nan, dtype=np.float32)
    for name, values in columns.items():
        features[:, COLUMNS.index(name)] = values
    return make_catalogue([[0]] * n, features=features)


class TestArtist:
    catalogue = make_catalogue([[0], [0], [1, 0], [1], [2]])

    def test_the_first_credit_counts_more_than_the_second(self) -> None:
        scores = fit("artist", self.catalogue).score(listener(0))
        assert scores[0] == scores[1] > scores[2] >= scores[3] > scores[4] == 0.0

    def test_by_hand(self) -> None:
        # Artist 0 has 2.5 tracks: reach 3.5 ** -0.5. A like of track 0 is an affinity of 1.
        assert fit("artist", self.catalogue).score(listener(0))[1] == pytest.approx(3.5**-0.5)

    def test_artists_of_a_collaboration_reach_each_other(self) -> None:
        term = fit("artist", self.catalogue)
        assert term.score(listener(0))[3] > 0
        [[cause]] = term.explain(listener(0), np.array([3], dtype=np.int32))
        assert (cause.kind, cause.index, cause.tracks) == ("artist", 0, (0,))
        assert cause.value == pytest.approx(float(term.score(listener(0))[3]))

    def test_a_dislike_pushes_the_artists_other_songs_down(self) -> None:
        assert fit("artist", self.catalogue).score(dislike(0))[1] < 0

    def test_a_stated_artist_counts_as_a_like_and_a_half(self) -> None:
        term = fit("artist", self.catalogue)
        np.testing.assert_allclose(term.score(listener(artists=[2])), 1.5 * term.score(listener(4)))
        assert term.explain(listener(artists=[2]), np.array([4], dtype=np.int32))[0][0].tracks == ()

    def test_one_like_says_more_about_an_artist_with_few_songs(self) -> None:
        scores = fit("artist", make_catalogue([[0], [0], [1], [1], [1], [1], [1]])).score(listener(0, 2))
        assert scores[1] > scores[3]


class TestAlbum:
    catalogue = make_catalogue([[0]] * 5, album=np.array([0, 0, 1, -1, -1], dtype=np.int32))

    def test_only_songs_of_the_same_release(self) -> None:
        assert fit("album", self.catalogue).score(listener(0)).tolist() == pytest.approx([1 / 3, 1 / 3, 0, 0, 0])

    def test_an_unknown_release_is_not_a_release(self) -> None:
        assert not fit("album", self.catalogue).score(listener(3)).any()


class TestGenre:
    def test_same_genre_before_none_and_other(self) -> None:
        scores = fit("genre", make_catalogue([[0], [1], [2], [3]], [[0], [0], [1], []])).score(listener(0))
        assert scores.tolist() == pytest.approx([1, 1, 0, 0])

    def test_a_song_without_genres_has_its_artists(self) -> None:
        scores = fit("genre", make_catalogue([[0], [1], [1], [2]], [[0], [0], [], [1]])).score(listener(0))
        assert scores[2] == pytest.approx(1.0)
        assert scores[3] == 0.0

    def test_a_rare_genre_says_more_than_a_common_one(self) -> None:
        genres = [[0, 1], [0], [1], *[[0]] * 6]
        scores = fit("genre", make_catalogue([[artist] for artist in range(9)], genres)).score(listener(0))
        assert scores[2] > scores[1] > 0

    def test_stated_and_disliked_genres(self) -> None:
        term = fit("genre", make_catalogue([[0], [1]], [[0], [1]]))
        assert term.score(listener(genres=[1])).tolist() == [0, 1]
        assert term.score(dislike(0)).tolist() == [-1, 0]


class TestAudio:
    def test_alike_before_different(self) -> None:
        catalogue = with_features(energy=[0.1, 0.15, 0.5, 0.9, 0.95], tempo=[80, 85, 120, 160, 170])
        scores = fit("audio", catalogue).score(listener(0))
        assert scores[1] > scores[2] > scores[3]

    def test_the_key_is_a_circle(self) -> None:
        scores = fit("audio", with_features(key=[0, 11, 6, 1, 3])).score(listener(0))
        assert scores[1] == pytest.approx(scores[3], abs=1e-6)
        assert scores[1] > scores[4] > scores[2]

    def test_unknown_is_no_opinion(self) -> None:
        catalogue = with_features(energy=[0.1, 0.9, np.nan, 0.2])
        term = fit("audio", catalogue)
        assert term.score(listener(0))[2] == 0.0
        assert not term.score(listener(2)).any()

    def test_an_estimated_value_counts_less(self) -> None:
        features = with_features(energy=[0.1, 0.9, 0.1, 0.9]).features
        estimated = np.array([False, False, True, False])
        catalogue = make_catalogue([[0]] * 4, features=features, features_estimated=estimated)
        scores = fit("audio", catalogue).score(listener(0))
        assert 0 < scores[2] < scores[0]

    def test_a_stated_artist_sounds_like_the_mean_of_their_songs(self) -> None:
        energy = np.array([[0.1], [0.2], [0.9], [0.95], [0.15], [0.9], [np.nan]], dtype=np.float32)
        features = np.full((7, len(COLUMNS)), np.nan, dtype=np.float32)
        features[:, [COLUMNS.index("energy")]] = energy
        catalogue = make_catalogue([[0], [0], [1], [1], [2], [2], [3]], features=features)
        term = fit("audio", catalogue)
        calm, loud, unheard = (term.score(listener(artists=[artist])) for artist in (0, 1, 3))
        assert calm[4] > 0 > calm[5]
        assert loud[5] > 0 > loud[4]
        assert not unheard.any()
        [[cause]] = term.explain(listener(artists=[0]), np.array([4], dtype=np.int32))
        assert (cause.kind, cause.index, cause.stance) == ("artist", 0, "chosen")
        assert cause.value == pytest.approx(float(calm[4]), abs=1e-6)
        both = listener(2, artists=[0])
        first, second = term.explain(both, np.array([4], dtype=np.int32), limit=2)[0][:1], term.score(both)[4]
        assert [cause.kind for cause in first] == ["artist"]
        everything = sum(cause.value for cause in term.explain(both, np.array([4], dtype=np.int32))[0])
        assert everything == pytest.approx(float(second), abs=1e-6)

    def test_a_dislike_turns_it_round(self) -> None:
        term = fit("audio", with_features(energy=[0.1, 0.15, 0.9, 0.95]))
        np.testing.assert_allclose(term.score(dislike(0)), -term.score(listener(0)))

    def test_near_several_liked_songs_rather_than_between_them(self) -> None:
        energy = np.linspace(0.0, 1.0, 101).tolist()
        term = fit("audio", with_features(energy=energy))
        scores = term.score(listener(9, 10, 11, 89, 90, 91))
        assert min(scores[10], scores[90]) > 0 > scores[50]

    def test_a_ring_in_two_features_is_learned_from_likes_and_dislikes(self) -> None:
        rng = np.random.default_rng(0)
        energy, tempo = rng.uniform(size=(2, 600))
        radius = np.hypot(energy - 0.5, tempo - 0.5)
        is_liked = np.abs(radius - 0.3) < 0.1
        term = fit("audio", with_features(energy=energy.tolist(), tempo=(100 + 60 * tempo).tolist()))
        answers = [(row, FeedbackKind.LIKE if is_liked[row] else FeedbackKind.DISLIKE, 1, 0) for row in range(100)]
        scores = term.score(ListenerProfile.from_feedback(feedback_of(*answers), CONFIG.feedback))[100:]
        features = np.stack([energy, tempo], axis=1)
        linear = LogisticRegression().fit(features[:100], is_liked[:100]).decision_function(features[100:])
        assert roc_auc_score(is_liked[100:], scores) > 0.75
        assert roc_auc_score(is_liked[100:], linear) < 0.6

    def test_two_features_together_are_learned_from_likes_and_dislikes(self) -> None:
        rng = np.random.default_rng(1)
        energy, tempo = rng.uniform(size=(2, 600))
        is_liked = (energy > 0.5) != (tempo > 0.5)
        term = fit("audio", with_features(energy=energy.tolist(), tempo=(100 + 60 * tempo).tolist()))
        answers = [(row, FeedbackKind.LIKE if is_liked[row] else FeedbackKind.DISLIKE, 1, 0) for row in range(100)]
        scores = term.score(ListenerProfile.from_feedback(feedback_of(*answers), CONFIG.feedback))[100:]
        assert roc_auc_score(is_liked[100:], scores) > 0.95

    def test_the_liked_songs_nearby_raise_a_song_and_the_disliked_ones_lower_it(self) -> None:
        term = fit("audio", with_features(energy=np.linspace(0.0, 1.0, 101).tolist()))
        answers = [(row, FeedbackKind.LIKE, 1, 0) for row in (8, 90)] + [(12, FeedbackKind.DISLIKE, 1, 0)]
        [causes] = term.explain(
            ListenerProfile.from_feedback(feedback_of(*answers), CONFIG.feedback), np.array([10], dtype=np.int32)
        )
        value = {cause.index: cause.value for cause in causes}
        assert value[8] > 0 > value[12]
        assert value[8] > value[90]

    def test_coordinates_and_direction_are_the_score(self) -> None:
        rng = np.random.default_rng(0)
        catalogue = with_features(energy=rng.uniform(size=5000).tolist(), loudness=rng.uniform(-20, 0, 5000).tolist())
        term, who = fit("audio", catalogue), listener(5, 3000, 4999)
        assert isinstance(term, LinearTerm)
        coordinates = term.item_vectors(np.arange(5000, dtype=np.int32))
        np.testing.assert_allclose(coordinates @ term.user_vector(who), term.score(who), atol=1e-5)

    def test_one_stored_by_an_earlier_release_goes_on_as_it_was(self) -> None:
        catalogue = with_features(energy=[0.1, 0.2, 0.9])
        vectors = np.array([[0.6, 0.8], [0.8, 0.6], [-0.6, 0.8]], dtype=np.float32)
        stored = {"vectors": vectors, "centre": np.zeros(2, np.float32), "known": np.ones(3, np.float32)}
        term = TERMS["audio"].from_arrays(
            stored,
            make_catalogue([[0]] * 3, features=catalogue.features[:, :2], feature_columns=COLUMNS[:2]),
            CONFIG.terms,
        )
        np.testing.assert_allclose(term.score(listener(0)), vectors @ vectors[0], atol=1e-6)
        [causes] = term.explain(listener(0, 1), np.array([2], dtype=np.int32))
        assert sum(cause.value for cause in causes) == pytest.approx(float(term.score(listener(0, 1))[2]))
        assert set(term.arrays()) == set(stored)

    def test_a_share_below_nothing_is_nothing(self) -> None:
        features = np.array([[-0.5], [0.0], [0.3], [0.9]], dtype=np.float32)
        catalogue = make_catalogue([[0]] * 4, features=features, feature_columns=("speechiness",))
        scores = fit("audio", catalogue).score(listener(0))
        assert scores[0] == scores[1] > scores[2] >= scores[3]

    def test_an_outlier_cannot_swallow_the_scale(self) -> None:
        tempo = [100.0, 101.0] * 50 + [9999.0]
        scores = fit("audio", with_features(tempo=tempo)).score(listener(0))
        assert np.isfinite(scores).all()


class TestMainstream:
    def test_about_as_well_known(self) -> None:
        catalogue = make_catalogue([[0]] * 5, popularity=np.array([20, 25, 60, 95, np.nan], dtype=np.float32))
        scores = fit("mainstream", catalogue).score(listener(0))
        assert scores[0] > scores[1] > scores[2] >= scores[3]
        assert scores[4] == 0.0
        assert float(scores[:4].mean()) == pytest.approx(0.0, abs=1e-6)


class TestEra:
    years = np.array([1975, 1978, 1999, 2020, -1, 1850, 1900], dtype=np.int32)

    def test_from_about_the_same_years(self) -> None:
        scores = fit("era", make_catalogue([[0]] * 7, year=self.years)).score(listener(0))
        assert scores[0] > scores[1] > scores[2] >= scores[3]
        assert scores[4] == 0.0
        assert float(np.delete(scores, 4).mean()) == pytest.approx(0.0, abs=1e-6)

    def test_what_is_older_than_records_is_of_one_time(self) -> None:
        scores = fit("era", make_catalogue([[0]] * 7, year=self.years)).score(listener(5))
        assert scores[5] == scores[6] > scores[0]

    def test_a_dislike_turns_it_round(self) -> None:
        term = fit("era", make_catalogue([[0]] * 7, year=self.years))
        np.testing.assert_allclose(term.score(dislike(0)), -term.score(listener(0)))

    def test_without_years_it_is_silent(self) -> None:
        assert not fit("era", make_catalogue([[0]] * 3)).score(listener(0)).any()

    def test_the_song_of_the_same_years_is_the_cause(self) -> None:
        term = fit("era", make_catalogue([[0]] * 7, year=self.years))
        [causes] = term.explain(listener(0, 3), np.array([1], dtype=np.int32), 2)
        assert [(cause.kind, cause.index) for cause in causes] == [("track", 0)]


class TestPopularity:
    figures = np.array([10, 20, 20, np.nan], dtype=np.float32)

    def interactions(self, *liked: tuple[int, int], regions: list[int]) -> Interactions:
        return Interactions(
            listener=np.array([pair[0] for pair in liked], dtype=np.int32),
            row=np.array([pair[1] for pair in liked], dtype=np.int32),
            weight=np.ones(len(liked), dtype=np.float32),
            region=np.array(regions, dtype=np.int32),
        )

    def test_the_catalogues_figure_alone(self) -> None:
        scores = fit("popularity", make_catalogue([[0]] * 4, popularity=self.figures)).score(listener())
        assert scores[1] == scores[2] > scores[3] > scores[0]
        assert scores[1] - scores[0] == pytest.approx(np.log(2), abs=1e-6)

    def test_likes_move_it(self) -> None:
        seen = self.interactions((0, 1), (1, 1), (2, 1), regions=[-1, -1, -1])
        scores = fit("popularity", make_catalogue([[0]] * 4, popularity=self.figures), seen).score(listener())
        assert scores[1] > scores[2]

    def test_dislikes_are_not_likes(self) -> None:
        seen = self.interactions((0, 1), regions=[-1])
        disliked = Interactions(seen.listener, seen.row, -seen.weight, seen.region)
        catalogue = make_catalogue([[0]] * 4, popularity=self.figures)
        np.testing.assert_array_equal(
            fit("popularity", catalogue, disliked).score(listener()), fit("popularity", catalogue).score(listener())
        )

    def test_the_own_region_comes_first(self) -> None:
        pairs = [(0, 0), (1, 0), (2, 1), (3, 1)]
        term = fit("popularity", make_catalogue([[0]] * 3), self.interactions(*pairs, regions=[4, 4, 6, 6]))
        here, there, nowhere = (term.score(listener(region=region)) for region in (4, 6, -1))
        assert here[0] > here[1] > here[2]
        assert there[1] > there[0] > there[2]
        assert nowhere[0] == pytest.approx(nowhere[1])

    def test_a_region_of_too_few_listeners_uses_the_global_figure(self) -> None:
        pairs = [(0, 0), (1, 1)]
        term = fit("popularity", make_catalogue([[0]] * 3), self.interactions(*pairs, regions=[4, 6]))
        np.testing.assert_array_equal(term.score(listener(region=4)), term.score(listener()))

    def test_the_region_is_named_as_a_cause(self) -> None:
        pairs = [(0, 0), (1, 0), (2, 1), (3, 1)]
        term = fit("popularity", make_catalogue([[0]] * 3), self.interactions(*pairs, regions=[4, 4, 6, 6]))
        [causes] = term.explain(listener(region=4), np.array([0], dtype=np.int32))
        assert [(cause.kind, cause.index) for cause in causes] == [("catalogue", -1), ("listeners", -1), ("region", 4)]
        assert causes[2].value > 0
        [elsewhere] = term.explain(listener(region=6), np.array([0], dtype=np.int32))
        assert elsewhere[2].value < 0


def test_feedback_of_nobody_is_neutral_for_the_personal_terms() -> None:
    catalogue = make_catalogue([[0], [1]], [[0], [1]], popularity=np.array([3, 9], dtype=np.float32))
    nobody = ListenerProfile.from_feedback(Feedback(), CONFIG.feedback)
    for name in ("artist", "album", "genre", "audio", "mainstream", "era"):
        assert not fit(name, catalogue).score(nobody).any(), name
