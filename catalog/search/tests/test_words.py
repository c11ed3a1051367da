"""Slips in searches."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from catalog.models import Track
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


@pytest.mark.django_db(transaction=True)  # InnoDB finds only what is committed
@pytest.mark.parametrize(
    ("query", "title", "corrected"),
    [
        ("smells like ten spirit", "Smells Like Teen Spirit", "smells like teen spirit"),
        ("smels like ten spirit", "Smells Like Teen Spirit", "smells like teen spirit"),
        ("the les i know the beter", "The Less I Know the Better", "the less i know the better"),
        ("mister brightside", "Mr. Brightside", "mr brightside"),
        ("smels lik teen spirti", "Smells Like Teen Spirit", "smells like teen spirit"),
    ],
)
def test_words_that_others_have_are_put_right_by_the_words_beside_them(query: str, title: str, corrected: str) -> None:
    add("Smells Like Teen Spirit", "Nirvana")
    add("The Less I Know the Better", "Tame Impala")
    add("Mr. Brightside", "The Killers")
    for other in ("Ten", "Mister", "Les", "Know the Lies"):
        add(other, "Ann")
    results = search(query)
    assert [Track.objects.get(pk=pk).title for pk in results.track_ids] == [title]
    assert results.corrected == corrected


@pytest.mark.django_db(transaction=True)  # InnoDB finds only what is committed
@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("byob", ["B.Y.O.B."]),
        ("b.y.o.b.", ["B.Y.O.B."]),
        ("byob system of a down", ["B.Y.O.B."]),
        ("dna", ["DNA."]),
        ("d.n.a.", ["DNA."]),
        ("D.N.A. kendrick", ["DNA."]),
    ],
)
def test_initials_are_found_with_and_without_full_stops(query: str, titles: list[str]) -> None:
    add("B.Y.O.B.", "System of a Down")
    add("DNA.", "Kendrick Lamar")
    assert [Track.objects.get(pk=pk).title for pk in search(query).track_ids] == titles
    assert search(query).corrected == ""


@pytest.mark.django_db(transaction=True)  # InnoDB finds only what is committed
@pytest.mark.skipif(connection.vendor == "mysql", reason="its index has no single letters: used where nothing else is")
def test_an_artist_of_initials_is_found_beside_words_that_begin_so() -> None:
    add("Everybody Hurts", "R.E.M.")
    add("Remix", "Ann")
    results = search("rem")
    assert len(results.track_ids) == 2
    assert [artist.name for artist in results.artists] == ["R.E.M."]
