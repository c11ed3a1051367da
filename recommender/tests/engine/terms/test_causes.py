"""Reasons are true: what is named has the sign its words claim, and the named parts add up to the whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from recommender.engine import (
    Adjustments,
    Catalogue,
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
from recommender.engine.data import FeedbackKind as Kind
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.fitting import FactorConfig
from recommender.engine.ranking.config import BlendConfig, RankingConfig
from recommender.engine.terms import TERMS, Cause, Term, no_progress
from recommender.tests.engine.build import COLUMNS, feedback_of, make_catalogue

CONFIG = EngineConfig()
RANDOM_LISTENERS = 25


def with_versions(catalogue: Catalogue) -> Catalogue:
    """The same songs, every third of which is a version of the one before."""
    recording = np.arange(catalogue.n_tracks, dtype=np.int32)
    recording[2::3] = recording[1::3][: len(recording[2::3])]
    columns = {name: getattr(catalogue, name) for name in catalogue.__dataclass_fields__}
    return Catalogue(**(columns | {"recording": recording}))


@pytest.fixture(scope="module")
def versions(catalogue: Catalogue) -> Catalogue:
    return with_versions(catalogue)


@pytest.fixture(scope="module")
def of_versions(versions: Catalogue, interactions: Interactions, config: EngineConfig) -> Model:
    return fit_model(versions, interactions, config, np.random.default_rng(0))


def random_feedback(catalogue: Catalogue, seed: int) -> Feedback:
    """Likes, dislikes, plays, completions and skips in any mixture, with picks and adjustments."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(0, 40))
    # Few songs, so that one is often answered in several ways, and so are its versions.
    rows = rng.integers(0, 45, size=size).astype(np.int32)
    share = rng.dirichlet(np.full(len(FeedbackKind), 0.6))

    def some(of: int, most: int) -> np.ndarray:
        return rng.choice(of, size=int(rng.integers(0, most)), replace=False).astype(np.int32)

    artists, genres = some(catalogue.n_artists, 4), some(catalogue.n_genres, 3)
    return Feedback(
        rows=rows,
        kind=rng.choice(len(FeedbackKind), size=size, p=share).astype(np.int32),
        count=rng.integers(1, 6, size=size).astype(np.float32),
        age_days=rng.uniform(0, 900, size=size).astype(np.float32),
        genres=some(catalogue.n_genres, 3),
        artists=some(catalogue.n_artists, 4),
        region=int(rng.integers(-1, 2)),
        adjustments=Adjustments(
            artists=artists,
            artist_factors=rng.choice([0.0, 0.5, 2.0], size=len(artists)).astype(np.float32),
            genres=genres,
            genre_factors=rng.choice([0.0, 0.5, 2.0], size=len(genres)).astype(np.float32),
            features={COLUMNS[int(rng.integers(len(COLUMNS)))]: 0.5},
        ),
    )


@dataclass(frozen=True)
class Answers:
    """What a listener did, told from the feedback alone; kinds: of each row; balance: of each recording."""

    feedback: Feedback
    kinds: dict[int, set[int]]
    weights: dict[int, float]
    balance: dict[int, float]

    @classmethod
    def of(cls, feedback: Feedback, listener: ListenerProfile, catalogue: Catalogue) -> Answers:
        kinds: dict[int, set[int]] = {}
        for row, kind in zip(feedback.rows.tolist(), feedback.kind.tolist(), strict=True):
            kinds.setdefault(row, set()).add(kind)
        weights = dict(zip(listener.rows.tolist(), listener.weights.tolist(), strict=True))
        balance: dict[int, float] = {}
        for row, weight in weights.items():
            balance[int(catalogue.recording[row])] = balance.get(int(catalogue.recording[row]), 0.0) + weight
        return cls(feedback, kinds, weights, balance)

    def check_song(self, row: int, stance: str, catalogue: Catalogue) -> None:
        """Fail if `stance` is not what was done with a song, on balance of all its versions."""
        done, weight = self.kinds[row], self.weights[row]
        balance = self.balance[int(catalogue.recording[row])]
        if stance in ("liked", "played"):
            assert weight > 0
            assert balance > 0
            assert Kind.DISLIKE not in done
            assert (Kind.LIKE in done) == (stance == "liked")
        else:
            assert weight < 0
            assert balance < 0
            assert (Kind.DISLIKE in done) == (stance == "disliked")
            assert Kind.DISLIKE in done or (Kind.SKIP in done and Kind.LIKE not in done)


def check_named(cause: Cause, row: int, answers: Answers, catalogue: Catalogue) -> None:
    """Fail if a named cause of `row` claims what is not so."""
    assert cause.value > 0
    songs = [cause.index] if cause.kind == "track" else list(cause.tracks)
    assert not {int(catalogue.recording[song]) for song in songs} & {int(catalogue.recording[row])}
    assert len({int(catalogue.recording[song]) for song in songs}) == len(songs)
    if cause.kind == "track":
        assert cause.stance in ("liked", "played", "disliked", "skipped")
        answers.check_song(cause.index, cause.stance, catalogue)
    elif cause.kind in ("artist", "genre"):
        check_line(cause, answers, catalogue)
    else:
        assert cause.stance == "none"


def check_line(cause: Cause, answers: Answers, catalogue: Catalogue) -> None:
    """Fail if an artist or genre is named that was not chosen, nor has a song that speaks for it."""
    stated = answers.feedback.artists if cause.kind == "artist" else answers.feedback.genres
    assert cause.stance in ("liked", "played", "chosen")
    if cause.stance == "chosen":
        assert cause.index in stated
        assert cause.tracks == ()
        return
    assert cause.tracks
    answers.check_song(cause.tracks[0], cause.stance, catalogue)
    for song in cause.tracks:
        answers.check_song(song, "liked" if Kind.LIKE in answers.kinds[song] else "played", catalogue)


@pytest.mark.parametrize("name", sorted(TERMS))
def test_what_is_named_is_so_and_all_causes_add_up(name: str, of_versions: Model, versions: Catalogue) -> None:
    term, rows, named = of_versions.terms[name], np.arange(versions.n_tracks, dtype=np.int32), 0
    for seed in range(RANDOM_LISTENERS):
        feedback = random_feedback(versions, seed)
        listener = of_versions.listener(feedback)
        answers = Answers.of(feedback, listener, versions)
        for row, causes in zip(rows.tolist(), term.explain(listener, rows, 3), strict=True):
            named += len(causes)
            for cause in causes:
                check_named(cause, row, answers, versions)
        summed = [sum(cause.value for cause in causes) for causes in term.explain(listener, rows)]
        np.testing.assert_allclose(summed, term.score(listener), rtol=1e-4, atol=2e-5)
    assert named > RANDOM_LISTENERS


def test_every_stance_is_found_among_the_random_listeners(of_versions: Model, versions: Catalogue) -> None:
    rows = np.arange(versions.n_tracks, dtype=np.int32)
    listeners = [of_versions.listener(random_feedback(versions, seed)) for seed in range(RANDOM_LISTENERS)]
    stances = {
        (cause.kind, cause.stance)
        for listener in listeners
        for term in of_versions.terms.values()
        for causes in term.explain(listener, rows, 3)
        for cause in causes
    }
    tracks = {("track", stance) for stance in ("liked", "played", "disliked", "skipped")}
    lines = {(kind, stance) for kind in ("artist", "genre") for stance in ("liked", "played", "chosen")}
    assert stances == tracks | lines | {(kind, "none") for kind in ("listeners", "catalogue", "region")}


def test_the_reasons_of_a_page_are_so_and_its_terms_add_up_to_the_score(
    of_versions: Model, versions: Catalogue
) -> None:
    explained = 0
    for seed in range(RANDOM_LISTENERS):
        feedback = random_feedback(versions, seed)
        answers = Answers.of(feedback, of_versions.listener(feedback), versions)
        for item in recommend(of_versions, feedback, Request(k=10), np.random.default_rng(0)).items:
            assert item.score == pytest.approx(sum(item.contributions.values()), abs=1e-6)
            for reason in item.reasons:
                explained += 1
                assert reason.contribution == item.contributions[reason.term] > 0
                for cause in reason.causes:
                    check_named(cause, item.row, answers, versions)
    assert explained > 10 * RANDOM_LISTENERS


def fit(name: str, catalogue: Catalogue) -> Term:
    return TERMS[name].fit(catalogue, Interactions.empty(), CONFIG.terms, np.random.default_rng(0), no_progress)


def causes_of(term: Term, feedback: Feedback, row: int, limit: int | None = 3) -> list[Cause]:
    [causes] = term.explain(
        ListenerProfile.from_feedback(feedback, CONFIG.feedback), np.array([row], dtype=np.int32), limit
    )
    return causes


class TestVersions:
    # Rows 0 and 1 are one recording; row 2 is another song of the same album and artist.
    catalogue = make_catalogue(
        [[0]] * 4, [[0]] * 4, recording=np.array([0, 0, 1, 2], np.int32), album=np.zeros(4, np.int32)
    )

    def test_two_versions_of_a_liked_song_are_one_cause(self) -> None:
        feedback = feedback_of((0, Kind.LIKE, 1, 0), (1, Kind.LIKE, 1, 0), (3, Kind.LIKE, 1, 0))
        results = causes_of(fit("album", self.catalogue), feedback, 2)
        assert [(cause.index, cause.stance) for cause in results] == [(0, "liked"), (3, "liked")]
        assert [cause.value for cause in results] == pytest.approx([0.4, 0.2])
        [artist] = causes_of(fit("artist", self.catalogue), feedback, 2)
        assert artist.tracks == (0, 3)

    @pytest.mark.parametrize("row", [0, 1])
    def test_no_song_is_explained_by_itself_or_a_version_of_it(self, row: int) -> None:
        feedback = feedback_of((0, Kind.COMPLETED, 1, 40), (2, Kind.COMPLETED, 1, 40))
        assert [cause.index for cause in causes_of(fit("album", self.catalogue), feedback, row)] == [2]
        assert [cause.tracks for cause in causes_of(fit("artist", self.catalogue), feedback, row)] == [(2,)]
        assert [cause.tracks for cause in causes_of(fit("genre", self.catalogue), feedback, row)] == [(2,)]
        alone = feedback_of((0, Kind.COMPLETED, 1, 40))
        for name in ("album", "artist", "genre"):
            assert causes_of(fit(name, self.catalogue), alone, row) == []

    def test_a_like_that_a_dislike_of_another_version_outweighs_is_no_reason(self) -> None:
        feedback = feedback_of((0, Kind.COMPLETED, 1, 0), (1, Kind.DISLIKE, 1, 0))
        assert causes_of(fit("album", self.catalogue), feedback, 2) == []
        assert causes_of(fit("artist", self.catalogue), feedback, 2) == []


class TestStances:
    catalogue = make_catalogue([[0], [0], [0], [1], [2]], [[0], [0], [0], [0], [1]])

    def stance(self, name: str, feedback: Feedback, row: int = 2) -> list[tuple[str, tuple[int, ...]]]:
        return [(cause.stance, cause.tracks) for cause in causes_of(fit(name, self.catalogue), feedback, row)]

    @pytest.mark.parametrize("name", ["artist", "genre"])
    def test_what_was_liked_comes_before_what_was_played_more(self, name: str) -> None:
        feedback = feedback_of((0, Kind.COMPLETED, 30, 0), (1, Kind.LIKE, 1, 300))
        assert self.stance(name, feedback) == [("liked", (1, 0))]

    @pytest.mark.parametrize("name", ["artist", "genre"])
    def test_a_disliked_song_stands_behind_no_liked_artist(self, name: str) -> None:
        feedback = feedback_of((0, Kind.DISLIKE, 1, 0), (1, Kind.LIKE, 2, 0), (1, Kind.COMPLETED, 9, 0))
        assert self.stance(name, feedback) == [("liked", (1,))]

    @pytest.mark.parametrize("name", ["artist", "genre"])
    def test_what_is_disliked_on_balance_is_no_reason(self, name: str) -> None:
        assert self.stance(name, feedback_of((0, Kind.DISLIKE, 1, 0), (1, Kind.COMPLETED, 1, 0))) == []

    @pytest.mark.parametrize(("name", "stated"), [("artist", "artists"), ("genre", "genres")])
    def test_a_favourite_outweighs_one_dislike_but_not_two(self, name: str, stated: str) -> None:
        stance = self.stance(name, feedback_of((0, Kind.DISLIKE, 1, 0), **{stated: [0]}))
        assert stance == [("chosen", ())]
        twice = feedback_of((0, Kind.DISLIKE, 1, 0), (1, Kind.DISLIKE, 1, 0), **{stated: [0]})
        assert self.stance(name, twice) == []

    def test_a_favourite_that_was_only_played_is_said_to_be_chosen(self) -> None:
        assert self.stance("artist", feedback_of((0, Kind.PLAY, 1, 0), artists=[0])) == [("chosen", ())]

    def test_a_chosen_artist_speaks_for_songs_of_others_in_the_same_genre(self) -> None:
        term = fit("genre", self.catalogue)
        [cause] = causes_of(term, feedback_of(artists=[0]), 3)
        assert (cause.kind, cause.index, cause.stance) == ("artist", 0, "chosen")
        scores = term.score(ListenerProfile.from_feedback(feedback_of(artists=[0]), CONFIG.feedback))
        assert cause.value == pytest.approx(float(scores[3]))
        assert scores.tolist() == pytest.approx([1, 1, 1, 1, 0])

    def test_a_chosen_artists_genre_outweighs_one_dislike(self) -> None:
        feedback = feedback_of((0, Kind.DISLIKE, 1, 0), artists=[0])
        assert fit("genre", self.catalogue).score(ListenerProfile.from_feedback(feedback, CONFIG.feedback))[3] > 0

    def test_of_weights_that_nobody_explains_nothing_is_claimed(self) -> None:
        known = ListenerProfile.of_one_track(0)
        rows = np.array([2], dtype=np.int32)
        [[cause]] = fit("artist", self.catalogue).explain(known, rows, 3)
        assert cause.stance == "liked"
        unknown = ListenerProfile(known.rows, known.weights, known.genres, known.artists, -1, 1.0)
        assert fit("artist", self.catalogue).explain(unknown, rows, 3) == [[]]


def test_that_a_song_is_as_well_known_as_another_is_no_reason() -> None:
    figures = np.array([20, 21, 90, 80, 60], dtype=np.float32)
    catalogue = make_catalogue([[0], [1], [2], [3], [4]], popularity=figures)
    config = EngineConfig(
        blend=BlendConfig(term_weights={"mainstream": 1.0, "popularity": 0.1}),
        terms=TermsConfig(factors=FactorConfig(factors=2)),
        ranking=RankingConfig(min_listeners=1000),
    )
    model = fit_model(catalogue, Interactions.empty(), config, np.random.default_rng(0))
    page = recommend(model, Feedback.likes([0]), Request(k=4), np.random.default_rng(0))
    first = page.items[0]
    assert first.row == 1
    assert first.contributions["mainstream"] > 0
    assert {reason.term for item in page.items for reason in item.reasons} <= {"popularity"}
