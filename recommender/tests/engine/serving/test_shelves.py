"""A page in sections: what belongs to each, and that they share one evaluation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from recommender.engine import Feedback, FeedbackKind, Model, Request, recommend
from recommender.engine.ranking.blend import blend
from recommender.engine.serving.shelves import Shelf, ShelfName, recommend_shelves
from recommender.tests.engine.build import feedback_of

SIZES: dict[ShelfName, int] = {"made": 4, "because": 4, "new": 3, "artists": 3, "popular": 3}


def sections(model: Model, feedback: Feedback, adventure: float = 0.0, **request: Any) -> dict[str, Shelf]:
    page = recommend_shelves(model, feedback, Request(adventure=adventure, **request), SIZES, np.random.default_rng(1))
    return {section.name: section for section in page.shelves}


def artists_of(model: Model, rows: list[int]) -> set[int]:
    return {int(artist) for row in rows for artist in model.catalogue.artists_at(row)}


def rows_of(section: Shelf) -> list[int]:
    return [item.row for item in section.items]


@pytest.mark.parametrize("adventure", [0.0, 0.5])
def test_no_song_and_no_version_of_it_stands_twice(model: Model, feedback: Feedback, adventure: float) -> None:
    shelves = sections(model, feedback, adventure)
    assert set(shelves) == set(SIZES)
    recordings = [int(model.catalogue.recording[row]) for section in shelves.values() for row in rows_of(section)]
    assert len(recordings) == len(set(recordings))
    assert {name: len(section.items) for name, section in shelves.items()} == SIZES


def test_the_first_section_is_the_page_of_recommend(model: Model, feedback: Feedback) -> None:
    page = recommend(model, feedback, Request(k=4), np.random.default_rng(0))
    made = sections(model, feedback)["made"]
    assert [item.row for item in made.items] == [item.row for item in page.items]
    assert [item.score for item in made.items] == pytest.approx([item.score for item in page.items], abs=1e-5)


def test_contributions_add_up_in_every_section(model: Model, feedback: Feedback) -> None:
    for section in sections(model, feedback, 0.5).values():
        for item in section.items:
            assert item.score == sum(item.contributions.values())
            assert 0.0 < item.propensity <= 1.0


def test_new_songs_are_by_nobody_the_listener_has_heard(model: Model, feedback: Feedback) -> None:
    heard = artists_of(model, feedback.rows.tolist()) | set(feedback.artists.tolist())
    for adventure in (0.0, 1.0):
        assert not artists_of(model, rows_of(sections(model, feedback, adventure)["new"])) & heard


def test_only_new_songs_and_the_first_section_are_explored(model: Model, feedback: Feedback) -> None:
    shelves = sections(model, feedback, 1.0)
    assert {name: section.policy for name, section in shelves.items()} == {
        "made": "thompson",
        "because": "greedy",
        "new": "thompson",
        "artists": "greedy",
        "popular": "greedy",
    }
    assert {section.policy for section in sections(model, feedback).values()} == {"greedy"}


def test_more_of_artists_is_by_artists_that_are_liked(model: Model, feedback: Feedback) -> None:
    liked = model.listener(feedback).positive_only()
    welcome = artists_of(model, liked.rows.tolist()) | {5}
    for item in sections(model, feedback)["artists"].items:
        assert artists_of(model, [item.row]) & welcome


def test_because_hangs_on_a_liked_song_and_is_like_it(model: Model, feedback: Feedback) -> None:
    section = sections(model, feedback)["because"]
    assert section.seed_track in (30, 31, 55)
    anchor = model.embedding(np.array([section.seed_track], dtype=np.int32))[0]
    vectors = model.embedding(np.array(rows_of(section), dtype=np.int32))
    cosines = vectors @ anchor / np.linalg.norm(vectors, axis=1) / np.linalg.norm(anchor)
    assert (cosines > 0.2).all()
    assert cosines.tolist() == sorted(cosines.tolist(), reverse=True)
    assert {
        name: shelf.seed_track for name, shelf in sections(model, feedback).items() if name != "because"
    } == dict.fromkeys(("made", "new", "artists", "popular"), -1)


@pytest.mark.parametrize(("kind", "stance"), [(FeedbackKind.LIKE, "liked"), (FeedbackKind.COMPLETED, "played")])
def test_because_says_what_was_done_with_its_song(model: Model, kind: FeedbackKind, stance: str) -> None:
    section = sections(model, feedback_of(*((row, kind, 4, 1) for row in (30, 31))))["because"]
    assert section.seed_track in (30, 31)
    assert section.stance == stance
    assert {shelf.stance for name, shelf in sections(model, Feedback.likes([30])).items() if name != "because"} == {
        "none"
    }


def test_a_song_that_comes_again_is_not_like_itself(model: Model) -> None:
    catalogue = model.catalogue
    often = feedback_of(*((row, FeedbackKind.COMPLETED, 16, 40) for row in (30, 31)))
    for adventure in (0.0, 1.0):
        shelves = sections(model, often, adventure)
        anchor = shelves["because"].seed_track
        assert catalogue.recording[anchor] not in catalogue.recording[rows_of(shelves["because"])]


def test_popular_goes_by_the_term_alone(model: Model, feedback: Feedback) -> None:
    listener = model.listener(feedback)
    figures = blend(model.terms, {"popularity": 1.0}, listener).total
    values = [float(figures[row]) for row in rows_of(sections(model, feedback)["popular"])]
    assert values == sorted(values, reverse=True)


def test_a_new_listener_has_no_section_of_likes(model: Model) -> None:
    assert set(sections(model, Feedback())) == {"made", "new", "popular"}


def test_one_section_alone_and_what_is_excluded_stays_out(model: Model, feedback: Feedback) -> None:
    first = sections(model, feedback)
    excluded = np.array([row for name in ("made", "because") for row in rows_of(first[name])], dtype=np.int32)
    page = recommend_shelves(model, feedback, Request(excluded=excluded), {"popular": 3}, np.random.default_rng(0))
    assert [section.name for section in page.shelves] == ["popular"]
    assert not set(rows_of(page.shelves[0])) & set(excluded.tolist())


def test_the_model_is_evaluated_once(model: Model, feedback: Feedback) -> None:
    terms: dict[str, Any] = {name: _Counting(term) for name, term in model.terms.items()}
    liking_only = replace(feedback, kind=np.zeros_like(feedback.kind))
    sections(replace(model, terms=terms), liking_only)
    assert {name: term.scored for name, term in terms.items()} == dict.fromkeys(terms, 1)


class _Counting:
    """A term that counts how often it scored all songs."""

    def __init__(self, term: Any) -> None:
        self._term = term
        self.scored = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._term, name)

    def score(self, listener: Any) -> Any:
        self.scored += 1
        return self._term.score(listener)
