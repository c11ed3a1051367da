"""Slips in searches."""

from typing import Any

import pytest
from django.test import Client

from catalog.search.selectors import search
from catalog.search.words import alternatives, distance, note_words
from catalog.services import rename_artist
from catalog.tests.factories import make_track


def add(title: str, *artists: str, **values: Any) -> None:
    track = make_track(title, *artists, **values)
    note_words([track.search_text])


@pytest.mark.parametrize(
    ("word", "other", "slips"),
    [("nirvna", "nirvana", 1), ("nrivana", "nirvana", 1), ("mirvana", "nirvana", 1), ("nirvanaa", "nirvana", 1),
     ("beatles", "beatles", 0), ("coldply", "oldplay", 2), ("abcd", "wxyz", 3)],
)  # fmt: skip
def test_slips_are_counted(word: str, other: str, slips: int) -> None:
    assert distance(word, other, 2) == slips


@pytest.mark.django_db(transaction=True)  # InnoDB finds only what is committed
@pytest.mark.parametrize("query", ["nirvna", "mirvana", "nrivana", "nirvanaa", "Nirvama", "smells nirvna"])
def test_one_slip_is_put_right(query: str) -> None:
    add("Smells", "Nirvana")
    add("Nibana", "Other")
    results = search(query)
    assert len(results.track_ids) == 1
    assert [artist.name for artist in results.artists] == ([] if " " in query else ["Nirvana"])
    assert results.corrected == ("smells nirvana" if " " in query else "nirvana")


@pytest.mark.django_db(transaction=True)  # InnoDB finds only what is committed
def test_two_slips_in_a_long_word() -> None:
    add("Song", "Metallica Orchestra")
    assert search("orchsetar").corrected == "orchestra"


@pytest.mark.django_db(transaction=True)  # InnoDB finds only what is committed
def test_short_words_and_words_that_are_found_stay() -> None:
    add("Cats", "Ann")
    assert search("cst").is_empty
    assert search("cats").corrected == ""
    assert search("cat").corrected == ""
    assert list(alternatives(["cats"])) == []


@pytest.mark.django_db(transaction=True)  # InnoDB finds only what is committed
def test_of_equally_near_words_the_one_of_more_songs_comes_first() -> None:
    for number in range(3):
        add(f"Waters {number}", "Ann")
    add("Wafers", "Ann")
    assert search("waxers").corrected == "waters"


@pytest.mark.django_db(transaction=True)  # InnoDB finds only what is committed
def test_words_of_hidden_songs_are_not_told() -> None:
    add("Secrets", "Ann", is_active=False)
    assert search("secrats").is_empty
    assert search("secrats").corrected == ""


@pytest.mark.django_db(transaction=True)  # InnoDB finds only what is committed
def test_renaming_teaches_the_new_word() -> None:
    add("Song", "Before")
    artist = search("song").track_ids and search("before").artists[0]
    assert artist
    artist.name = "Nirvana"
    rename_artist(artist=artist)
    assert search("nirvna").corrected == "nirvana"


@pytest.mark.django_db(transaction=True)  # InnoDB finds only what is committed
def test_the_page_says_what_it_searched_for(client: Client) -> None:
    add("Smells", "Nirvana")
    html = client.get("/search/", {"q": "nirvna"}).content.decode()
    assert "Nothing found for “nirvna”. This was found for <strong>nirvana</strong>:" in html
    assert client.get("/api/songs/search", {"q": "nirvna"}).json()["corrected"] == "nirvana"
