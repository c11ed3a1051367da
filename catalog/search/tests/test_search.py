"""Search: alike on every database."""

from collections.abc import Iterable

import pytest
from django.db import connection

from catalog.models import Track
from catalog.search import selectors as search_module
from catalog.search.selectors import filter_tracks, search, words_of
from catalog.tests.factories import make_track

# MariaDB's full-text index shows only what was committed.
pytestmark = pytest.mark.django_db(transaction=connection.vendor == "mysql")


def titles(query: str) -> list[str]:
    results = search(query).track_ids
    by_id = Track.objects.in_bulk(results)
    return [by_id[pk].title for pk in results]


def names(rows: Iterable[object]) -> list[str]:
    return [str(row) for row in rows]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("beyonce", ["Déjà Vu"]),
        ("BEYONCÉ deja", ["Déjà Vu"]),
        ("vu beyon", ["Déjà Vu"]),
        ("beyo vu", []),  # only the last word is a prefix
        ("birthday", ["Halo"]),  # the album counts
        ("halo vu", []),  # all words must match
        ("AC-DC thunder", ["Thunderstruck"]),
        ("ac/dc!", ["Thunderstruck"]),
        ("花束", ["花束のうた"]),
        ("smørrebrød", ["Smorrebrod"]),
        ("ø", ["Ø"]),
    ],
)
def test_words_match_whatever_case_accents_and_punctuation(query: str, expected: list[str]) -> None:
    make_track("Déjà Vu", "Beyoncé")
    make_track("Halo", "Someone Else", album="B'Birthday Deluxe")
    make_track("Thunderstruck", "AC/DC")
    make_track("花束のうた", "back number")
    make_track("Smorrebrod", "Dane")
    make_track("Ø", "Sole")
    assert titles(query) == expected


@pytest.mark.parametrize("query", ["the", "The", "of", "i", "a", "to be", "the a", "it is", "xy", "x"])
def test_short_words_and_stop_words_are_found(query: str) -> None:
    make_track("I and the XY of a to be: it is", "Who")
    make_track("Something", "Nobody")
    assert titles(query) == ["I and the XY of a to be: it is"]


def test_exact_title_then_title_prefix_then_artist_then_popularity() -> None:
    make_track("Nothing", "Nobody", album="Love", popularity=100)
    make_track("Big Love", "Nobody", popularity=90)
    make_track("Any", "Courtney Love", popularity=80)
    make_track("Other", "Lovelace", popularity=85)
    make_track("Lovely", "Nobody", popularity=20)
    make_track("Love Me", "Nobody", popularity=30)
    make_track("LOVE!", "Nobody", popularity=1)
    make_track("Love", "Unknown", popularity=None)
    expected = ["LOVE!", "Love", "Love Me", "Lovely", "Other", "Any", "Nothing", "Big Love"]
    assert titles("love") == expected


@pytest.mark.parametrize("prefixed", [2, 500])
def test_very_common_words_keep_the_same_ranking(monkeypatch: pytest.MonkeyPatch, prefixed: int) -> None:
    monkeypatch.setattr(search_module, "RANKED", 3)
    monkeypatch.setattr(search_module, "PREFIXED", prefixed)
    make_track("Nothing", "Nobody", album="The", popularity=100)
    make_track("The Best", "Nobody", popularity=90)
    make_track("Hit", "The", popularity=80)
    make_track("The Worst", "Nobody", popularity=None)
    make_track("The", "Nobody", popularity=2)
    make_track("Hidden the", "Nobody", popularity=99, is_active=False)
    results = search("the")
    assert results.is_partial
    assert titles("the") == ["The", "The Best", "The Worst", "Hit", "Nothing"]
    assert names(results.artists) == ["The"]
    assert filter_tracks(Track.objects.all(), "the").count() == 6


def test_hidden_songs_and_their_artists_and_genres_are_not_found() -> None:
    make_track("Ghost Song", "Ghost Writer", genres=["ghost rock"], is_active=False)
    assert search("ghost").is_empty
    make_track("Ghost Town", "Nobody", genres=["ghost rock"])
    results = search("ghost")
    assert (len(results.track_ids), names(results.artists), names(results.genres)) == (1, [], ["ghost rock"])


def test_artists_exact_name_first_then_prefix_then_inside() -> None:
    make_track("One", "The Queen Band", popularity=90)
    make_track("Two", "Queens of the Stone Age", popularity=50)
    make_track("Three", "QUEEN", "Somebody", popularity=1)
    make_track("Queen", "Nobody", popularity=100)
    assert names(search("queen").artists) == ["QUEEN", "Queens of the Stone Age", "The Queen Band"]


def test_genres_by_name() -> None:
    make_track("One", genres=["hip-hop", "trip-hop", "rock"])
    assert names(search("hop").genres) == ["hip-hop", "trip-hop"]
    assert names(search("hip hop").genres) == ["hip-hop"]


@pytest.mark.parametrize(
    "query",
    [
        'lov"e', "love OR hate", "NEAR(love hate)", "love*", "-love", "love:hate", "^love", "search_text:love", "(love",
        "love & !hate", "love | hate", "love <-> hate", "+love -hate", "love~", "@love", "'love'", "\\", "\"", "%", "_",
        "love\x00", "love') --", "*", "''", "<>", ":*", "{love}", "love AND", "NOT love",
    ],
)  # fmt: skip
def test_query_language_in_what_is_typed_is_inert(query: str) -> None:
    make_track("Love", "Nobody")
    make_track("Hate", "Nobody")
    alone = {"love*", "-love", "^love", "(love", "love~", "@love", "'love'", "love\x00", "{love}", "love') --"}
    assert titles(query) == (["Love"] if query in alone else [])


def test_names_made_of_signs_are_found() -> None:
    make_track("Me and Giuliani", "!!!")
    make_track("???", "Nobody")
    assert titles("!!!") == ["Me and Giuliani"]
    assert titles("???") == ["???"]


@pytest.mark.parametrize("query", ["", "   ", "\x00", "\x00\x00 "])
def test_nothing_typed_finds_nothing(query: str) -> None:
    make_track("Song")
    assert search(query).is_empty


def test_overlong_queries_are_cut() -> None:
    make_track("x" * 300)
    assert titles("x" * 10_000) == ["x" * 300]
    assert len(words_of("a " * 5_000)) == search_module.MAX_WORDS


def test_index_follows_changes() -> None:
    track = make_track("Before", "Nobody")
    track.title = "After"
    track.refresh_derived(["Nobody"])
    track.save()
    assert (titles("before"), titles("after")) == ([], ["After"])
    Track.objects.filter(pk=track.pk).update(popularity=3)
    assert titles("after") == ["After"]
    track.delete()
    assert titles("after") == []


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the FTS5 table is SQLite's")
def test_fts_table_agrees_with_the_songs() -> None:
    make_track("One")
    two = make_track("Two")
    two.delete()
    Track.objects.update(search_text="three")
    with connection.cursor() as cursor:
        # Raises "database disk image is malformed" where the index and the table differ.
        cursor.execute("INSERT INTO catalog_track_fts(catalog_track_fts, rank) VALUES ('integrity-check', 1)")
        cursor.execute("SELECT rowid FROM catalog_track_fts WHERE catalog_track_fts MATCH 'three'")
        assert cursor.fetchall() == [(Track.objects.get().pk,)]


@pytest.mark.parametrize("count", [1, 3])
def test_constant_number_of_queries(count: int, django_assert_num_queries: object) -> None:
    for number in range(count):
        make_track(f"Song {number}", f"Song Writer {number}", genres=[f"song {number}"])
    # MariaDB's index has no letters, so none is asked for "s o n g".
    with django_assert_num_queries(5 if connection.vendor == "mysql" else 6):  # type: ignore[operator]
        results = search("song")
    assert (len(results.track_ids), len(results.artists), len(results.genres)) == (count, count, count)
