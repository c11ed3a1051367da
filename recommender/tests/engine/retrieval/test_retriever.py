"""Scoring only the songs that an index finds: the same pages as scoring all, for a fraction of the songs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recommender.engine import (
    Catalogue,
    EngineConfig,
    Feedback,
    FeedbackKind,
    Interactions,
    Model,
    ModelDamagedError,
    Request,
    TermsConfig,
    fit_model,
    load_model,
    read_manifest,
    recommend,
    save_model,
    update_model,
    with_retriever,
)
from recommender.engine.data import Adjustments
from recommender.engine.data.arrays import FloatArray, IntArray, top_rows
from recommender.engine.fitting import FactorConfig
from recommender.engine.rank import rank
from recommender.engine.ranking.config import RankingConfig
from recommender.engine.ranking.exclusions import AllowedTracks, allowed_rows
from recommender.engine.ranking.score_statistics import ScoreStatistics
from recommender.engine.retrieval.config import RetrievalConfig
from recommender.engine.retrieval.index import Vectors
from recommender.engine.score import score
from recommender.engine.serving.shelves import SHELVES, recommend_shelves
from recommender.engine.terms import LinearTerm
from recommender.tests.engine.build import feedback_of, random_catalogue, random_interactions

SONGS = 1500
RNG = np.random.default_rng(0)


class PlainIndex:
    """An index that goes through all vectors: it finds what there is to be found."""

    def __init__(self, vectors: FloatArray) -> None:
        self.vectors = vectors

    def nearest(self, query: FloatArray, limit: int, probe_share: float) -> IntArray:
        return top_rows(self.vectors @ query, limit)

    def write(self, path: Path) -> None:
        with path.open("wb") as file:
            np.save(file, self.vectors)


def build_plain(vectors: Vectors, number: int, queries: FloatArray, seed: int) -> PlainIndex:
    return PlainIndex(vectors(np.arange(number, dtype=np.int32)))


def open_plain(path: Path) -> PlainIndex:
    return PlainIndex(np.load(path))


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return random_catalogue(SONGS)


@pytest.fixture(scope="module")
def interactions(catalogue: Catalogue) -> Interactions:
    return random_interactions(catalogue, 120)


@pytest.fixture(scope="module")
def exact(catalogue: Catalogue, interactions: Interactions) -> Model:
    config = EngineConfig(
        terms=TermsConfig(region_min_listeners=5, factors=FactorConfig(factors=16)),
        ranking=RankingConfig(candidates=40, per_term=3, min_listeners=30, trees=20, min_leaf=10, queries=100),
        retrieval=RetrievalConfig(above=SONGS - 1, n_nearest=200, n_per_term=20, n_sparse=200),
    )
    return fit_model(catalogue, interactions, config, np.random.default_rng(0))


@pytest.fixture(scope="module")
def short(exact: Model) -> Model:
    return with_retriever(exact, build_plain)


LISTENERS = {
    "nobody": Feedback(),
    "in a region": feedback_of(region=1),
    "one like": Feedback.likes([700], region=0),
    "many likes": Feedback.likes(range(300, 900, 30)),
    "stated": feedback_of(genres=[1], artists=[5]),
    "mixed": feedback_of(
        (30, FeedbackKind.LIKE, 1, 2),
        (931, FeedbackKind.LIKE, 1, 400),
        (40, FeedbackKind.DISLIKE, 1, 0),
        (455, FeedbackKind.COMPLETED, 4, 60),
        (60, FeedbackKind.SKIP, 1, 45),
    ),
    "adjusted": replace(
        Feedback.likes([700, 701]),
        adjustments=Adjustments(
            genres=np.array([1], np.int32), genre_factors=np.array([3], np.float32), features={"energy": 2.0}
        ),
    ),
}


@pytest.fixture(params=LISTENERS)
def feedback(request: pytest.FixtureRequest) -> Feedback:
    return LISTENERS[request.param]


@pytest.mark.parametrize("adventure", [0.0, 0.7])
def test_pages_are_those_of_scoring_every_song(
    exact: Model, short: Model, feedback: Feedback, adventure: float
) -> None:
    request = Request(k=20, adventure=adventure, explicit_allowed=False, excluded_artists=np.array([7], np.int32))
    wanted, actual = (recommend(model, feedback, request, np.random.default_rng(5)) for model in (exact, short))
    assert [item.row for item in actual.items] == [item.row for item in wanted.items]
    for entry, other in zip(actual.items, wanted.items, strict=True):
        assert entry.contributions == pytest.approx(other.contributions, abs=2e-3)
        assert sum(entry.contributions.values()) == entry.score
        assert [reason.term for reason in entry.reasons] == [reason.term for reason in other.reasons]


def test_sections_are_those_of_scoring_every_song(exact: Model, short: Model, feedback: Feedback) -> None:
    sizes = dict.fromkeys(SHELVES, 6)
    rows = [
        [[item.row for item in section.items] for section in page.shelves]
        for page in (recommend_shelves(model, feedback, Request(), sizes, RNG) for model in (exact, short))
    ]
    assert rows[0] == rows[1]


def test_few_songs_are_scored(short: Model, feedback: Feedback) -> None:
    ranked = rank(short, short.listener(feedback), allowed_rows(short.catalogue, excluded=feedback.rows))
    assert ranked.first_stage.rows_scored is not None
    assert 40 <= len(ranked.first_stage.rows_scored) < SONGS / 2


def test_scores_of_a_few_are_those_of_all(exact: Model, short: Model, feedback: Feedback) -> None:
    listener = short.listener(feedback)
    ranked = rank(short, listener, allowed_rows(short.catalogue, excluded=feedback.rows))
    few, every = ranked.first_stage, score(exact, listener)
    assert few.rows_scored is not None
    np.testing.assert_allclose(few.total, every.total[few.rows_scored], atol=1e-3)
    for name, scale in every.scales.items():
        assert few.scales[name] == pytest.approx(scale, rel=1e-3, abs=1e-5), name


def test_moments_say_what_the_scores_do(exact: Model, feedback: Feedback) -> None:
    listener = exact.listener(feedback)
    linear = {name: term for name, term in exact.terms.items() if isinstance(term, LinearTerm)}
    assert set(linear) == {"audio", "collaborative", "era", "genre", "mainstream", "popularity", "preference"}
    for name, term in linear.items():
        direction, every = term.user_vector(listener), term.score(listener).astype(np.float64)
        rows = np.arange(SONGS, dtype=np.int32)
        np.testing.assert_allclose(term.item_vectors(rows) @ direction, every, atol=1e-5, err_msg=name)
        mean, deviation = ScoreStatistics.of(term, SONGS).scale(direction)
        assert (mean, deviation) == pytest.approx((every.mean(), every.std()), rel=1e-4, abs=1e-6), name


def test_who_dislikes_is_ranked_by_moments_as_by_scoring_every_song(exact: Model) -> None:
    feedback = feedback_of(
        (3, FeedbackKind.LIKE, 1, 0), (50, FeedbackKind.DISLIKE, 1, 0), (7, FeedbackKind.SKIP, 1, 40)
    )
    listener = exact.listener(feedback)
    assert exact.ranker is not None
    assert set(exact.score_statistics) == {name for name, term in exact.terms.items() if isinstance(term, LinearTerm)}

    actual = rank(exact, listener, exact.catalogue.active)
    slowly = rank(replace(exact, score_statistics={}), listener, exact.catalogue.active)
    assert actual.rows.tolist() == slowly.rows.tolist()
    np.testing.assert_allclose(actual.scores, slowly.scores, rtol=0, atol=2e-5)


def test_groups_and_bases_lose_nothing_that_matters(exact: Model) -> None:
    rows = np.arange(SONGS, dtype=np.int32)
    listener = exact.listener(Feedback.likes([700, 30]))
    for name, term in exact.terms.items():
        if not isinstance(term, LinearTerm):
            continue
        every, numbers, basis = term.score(listener), term.item_groups(), term.projection(3)
        if numbers is not None:
            of_group = np.full(int(numbers.max()) + 1, np.nan, dtype=np.float32)
            of_group[numbers] = every
            np.testing.assert_array_equal(of_group[numbers], every, err_msg=name)
        if basis is not None:
            assert basis.shape[1] <= 3
            np.testing.assert_allclose(basis.T @ basis, np.eye(basis.shape[1]), atol=1e-5)
            actual = (term.item_vectors(rows) @ basis) @ (term.user_vector(listener) @ basis)
            assert np.corrcoef(actual, every)[0, 1] > 0.5, name


def test_what_is_known_of_no_song_takes_no_part(
    catalogue: Catalogue, interactions: Interactions, exact: Model, feedback: Feedback
) -> None:
    unknown = replace(catalogue, year=np.empty(0, np.int32), popularity=np.full(SONGS, np.nan, dtype=np.float32))
    model = fit_model(unknown, interactions, exact.config, np.random.default_rng(0))
    short = with_retriever(model, build_plain)
    assert short.retriever is not None
    assert not {"era", "mainstream"} & set(short.retriever.space.scale)
    ranked = rank(short, short.listener(feedback), allowed_rows(unknown, excluded=feedback.rows))
    assert ranked.first_stage.rows_scored is not None
    assert ranked.first_stage.scales["era"] == ranked.first_stage.scales["mainstream"] == (0.0, 0.0)


def test_what_is_allowed_can_be_asked_of_a_few(catalogue: Catalogue) -> None:
    some = np.array([3, 7, 500], dtype=np.int32)
    genres, artists = np.array([1], dtype=np.int32), np.array([3, 7, 200], dtype=np.int32)
    for blocked in (artists[:0], artists):
        allowed = AllowedTracks(catalogue, some, False, blocked, genres[: len(blocked)])
        rows = np.arange(SONGS, dtype=np.int32)[::3]
        np.testing.assert_array_equal(allowed.mask(rows), allowed.mask()[::3])


def test_who_has_barred_nearly_all_is_answered_by_scoring_all(exact: Model, short: Model) -> None:
    left = np.flatnonzero(exact.catalogue.active)[:90]
    excluded = np.setdiff1d(np.arange(SONGS), left).astype(np.int32)
    request = Request(k=20, excluded=excluded)
    pages = [recommend(model, Feedback.likes([700]), request, RNG) for model in (exact, short)]
    assert pages[0] == pages[1]


def test_a_page_that_the_candidates_cannot_fill_is_filled_from_all_songs(exact: Model, short: Model) -> None:
    pages = [recommend(model, Feedback.likes([700]), Request(k=300), RNG) for model in (exact, short)]
    assert len(pages[1].items) == len(pages[0].items) > 200
    assert [item.row for item in pages[0].items] == [item.row for item in pages[1].items]


def test_smaller_catalogues_score_every_song(exact: Model) -> None:
    settings = RetrievalConfig(above=SONGS)
    model = replace(exact, config=replace(exact.config, retrieval=settings))
    assert with_retriever(model, build_plain) is model
    assert EngineConfig().retrieval.above == 1_000_000


def test_an_update_leaves_the_index_behind(short: Model, catalogue: Catalogue, interactions: Interactions) -> None:
    assert update_model(short, catalogue, interactions, np.random.default_rng(1)).retriever is None


class TestStored:
    @pytest.fixture
    def path(self, short: Model, tmp_path: Path) -> Path:
        save_model(short, tmp_path / "9")
        return tmp_path / "9"

    def test_it_recommends_the_same(self, short: Model, path: Path, feedback: Feedback) -> None:
        loaded = load_model(path, verify=True, open_index=open_plain)
        assert loaded.retriever is not None
        assert recommend(loaded, feedback, Request(), RNG) == recommend(short, feedback, Request(), RNG)

    def test_without_the_library_every_song_is_scored(self, exact: Model, path: Path, feedback: Feedback) -> None:
        for loaded in (load_model(path), load_model(path, open_index=lambda _path: None)):
            assert loaded.retriever is None
            assert recommend(loaded, feedback, Request(), RNG) == recommend(exact, feedback, Request(), RNG)

    def test_a_damaged_index_is_a_damaged_model(self, path: Path) -> None:
        file = path / "shortlist.blend.index"
        content = file.read_bytes()
        file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(ModelDamagedError, match=r"shortlist\.blend\.index: checksum"):
            load_model(path, verify=True, open_index=open_plain)
        file.write_bytes(content[:-1])
        with pytest.raises(ModelDamagedError, match=r"shortlist\.blend\.index: \d+ bytes instead of"):
            load_model(path)

    def test_an_index_that_cannot_be_opened_is_a_damaged_model(self, path: Path) -> None:
        def refuse(path: Path) -> PlainIndex:
            raise ValueError(f"{path.name}: not an index")

        with pytest.raises(ModelDamagedError, match="not an index"):
            load_model(path, open_index=refuse)

    def test_a_forgotten_part_is_a_damaged_model(self, path: Path) -> None:
        manifest = read_manifest(path)
        del manifest["arrays"]["shortlist.best.popularity.best"]
        (path / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(ModelDamagedError):
            load_model(path, open_index=open_plain)

    def test_an_index_that_fails_to_be_written_leaves_nothing(self, short: Model, tmp_path: Path) -> None:
        class Full(PlainIndex):
            def write(self, path: Path) -> None:
                path.write_bytes(b"half of it")
                raise OSError("No space left on device")

        assert short.retriever is not None
        model = replace(short, retriever=replace(short.retriever, index=Full(np.empty((0, 1), np.float32))))
        with pytest.raises(OSError, match="No space left"):
            save_model(model, tmp_path / "9")
        assert list(tmp_path.iterdir()) == []
