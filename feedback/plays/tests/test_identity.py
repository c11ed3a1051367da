"""Which plays are one listen."""

import pytest

from feedback.plays.identity import LAST, Listen, distance, doubles_among, pair

NOON = 1_714_816_805  # five seconds past a minute


def heard(at: int, listing: str, ms: int | None = None, number: int = 0, recording: str = "song") -> Listen:
    return Listen(recording, at, ms, listing, number)


@pytest.mark.parametrize(
    ("first", "other", "apart"),
    [
        # The end told to the second and, of the same play, to the minute.
        (heard(NOON, "spotify", 201_500), heard(NOON - 5, "spotify-year", 201_500), 5),
        (heard(NOON, "spotify", 201_500), heard(NOON - 5, "spotify-year", 188_000), None),
        # An end and how long it was heard, beside the start.
        (heard(NOON + 200, "spotify", 200_000), heard(NOON, "lastfm"), 0),
        (heard(NOON + 200, "spotify", 200_000), heard(NOON + 200, "listenbrainz"), LAST),
        (heard(NOON + 200, "spotify", 200_000), heard(NOON + 100, "lastfm"), None),
        (heard(NOON, "lastfm"), heard(NOON + 19, "listenbrainz"), 19),
        (heard(NOON, "lastfm"), heard(NOON + 21, "listenbrainz"), None),
        (heard(NOON - 5, "lastfm-min"), heard(NOON + 40, "listenbrainz"), 45),
        # A full minute that is the true second, and a short song that began when the first was over.
        (heard(NOON - 5, "lastfm"), heard(NOON + 80, "spotify", 40_000), None),
        (heard(NOON - 5, "lastfm-min"), heard(NOON + 80, "spotify", 40_000), 45),
        # What was skipped after three seconds is not what was scrobbled.
        (heard(NOON + 3, "spotify", 3000), heard(NOON + 4, "lastfm"), None),
        # The connection tells the start or the end.
        (heard(NOON + 200, "spotify-api"), heard(NOON + 203, "spotify", 200_000), 3),
        (heard(NOON, "spotify-api"), heard(NOON + 203, "spotify", 200_000), 3),
        # So do those who read it from there.
        (heard(NOON + 200, "spotify-recent"), heard(NOON + 203, "spotify", 200_000), 3),
        (heard(NOON, "listenbrainz-spotify", 200_000), heard(NOON + 203, "spotify", 200_000), 3),
        (heard(NOON + 200, "listenbrainz-spotify", 200_000), heard(NOON + 1, "lastfm"), 1),
        (heard(NOON + 200, "spotify-recent"), heard(NOON + 4, "apple", 200_000), 4),
        (heard(NOON + 100, "listenbrainz-spotify", 200_000), heard(NOON, "lastfm"), None),
        # What is counted by the day is any play of that day.
        (heard(NOON - NOON % 86_400, "apple-day"), heard(NOON, "apple", 200_000), 47),
        (heard(NOON - NOON % 86_400 + 86_400, "apple-day"), heard(NOON, "apple", 200_000), None),
    ],
)
def test_the_distance_of_two_tellings(first: Listen, other: Listen, apart: int | None) -> None:
    assert distance(first, other) == apart
    assert distance(other, first) == apart


def test_each_known_listen_is_paired_once_with_the_nearest() -> None:
    known = [heard(NOON + second, "lastfm", number=second) for second in (0, 30, 61)]
    new = [heard(NOON + second, "listenbrainz", number=index) for index, second in enumerate((32, 1, 15))]
    pairs = pair(new, known)
    assert {number: other.number for number, other in pairs.items()} == {0: 30, 1: 0}


@pytest.mark.parametrize("seconds", [(0, 200, 400), (200, 400, 600), (203, 400, 601)])
@pytest.mark.parametrize("is_newest_first", [False, True])
def test_a_song_played_three_times_in_a_row_is_paired_in_order(seconds: tuple[int, ...], is_newest_first: bool) -> None:
    known = [heard(NOON + second, "spotify", 200_000, number=second) for second in (200, 400, 600)]
    new = [heard(NOON + second, "spotify-recent", number=index) for index, second in enumerate(seconds)]
    pairs = pair(new[::-1] if is_newest_first else new, known[::-1] if is_newest_first else known)
    assert {number: other.number for number, other in pairs.items()} == {0: 200, 1: 400, 2: 600}


def test_plays_of_one_listing_or_of_two_songs_are_never_one_listen() -> None:
    assert pair([heard(NOON, "lastfm")], [heard(NOON, "lastfm")]) == {}
    assert pair([heard(NOON, "lastfm")], [heard(NOON, "listenbrainz", recording="other")]) == {}


def test_of_doubles_the_richest_stays_and_each_source_is_taken_once() -> None:
    listens = [
        heard(NOON, "lastfm", number=1),
        heard(NOON + 200, "spotify", 200_000, number=2),
        heard(NOON + 1, "listenbrainz", number=3),
        heard(NOON + 10, "lastfm", number=4),
        heard(NOON + 900, "lastfm", number=5),
    ]
    assert {(double.number, counterpart.number) for double, counterpart in doubles_among(listens)} == {(1, 2), (3, 2)}
