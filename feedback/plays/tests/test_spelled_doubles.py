"""Duplicates that earlier imports left under other spellings of their songs."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import User
from catalog.models import Track
from feedback.plays.doubles import double_ids, put_doubles_back, remove_doubles
from feedback.plays.models import Play
from feedback.source import Source
from feedback.tests.factories import PlayFactory, make_track

pytestmark = pytest.mark.django_db
NOON = datetime(2024, 5, 4, 12, 0, 5, tzinfo=UTC)


def heard(user: User, track: Track, listing: str, second: int, ms: int | None = None) -> Play:
    return PlayFactory(
        user=user, track=track, played_at=NOON + timedelta(seconds=second), ms_played=ms, source=Source.HISTORY,
        listing=listing,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rich", "poor"),
    [
        (("Song (feat. Jo Kern)", "Lena Voss"), ("Song", "Lena Voss Feat. Jo Kern")),
        (("Song", "Lena Voss, Jo Kern"), ("Song", "Lena Voss & Jo Kern")),
        (("Été à Paris", "Zoé"), ("Ete a Paris", "Zoe & Others")),
        (("Song - Remastered 2011", "Lena Voss"), ("Song", "lena voss feat. Jo Kern")),
        (("Song", "IŞIK"), ("Song", "ışık & Co")),  # noqa: RUF001
        (("夜に駆ける", "YOASOBI"), ("夜に駆ける", "YOASOBI; Ayase")),
    ],
)
def test_one_listen_under_two_spellings_is_found_removed_and_put_back(
    user: User, rich: tuple[str, str], poor: tuple[str, str]
) -> None:
    full = heard(user, make_track(rich[0], artist=rich[1]), "spotify", 200, 200_000)
    other = make_track(poor[0], artist=poor[1])
    assert other.recording_key != full.track.recording_key
    scrobble, listen = heard(user, other, "lastfm", 2), heard(user, other, "listenbrainz", 1)
    assert double_ids(Play.objects.all()) == {scrobble.pk: full.pk, listen.pk: full.pk}
    assert remove_doubles(user=user) == 2
    assert Play.objects.get() == full
    assert put_doubles_back(user=user) == 2
    assert Play.objects.count() == 3


@pytest.mark.parametrize(
    ("title", "artist", "listing", "second"),
    [
        ("Song", "Jo Kern", "lastfm", 2),
        ("Other", "Lena Voss", "lastfm", 2),
        ("Song", "Lena Voss & Jo Kern", "spotify", 201),
        ("Song", "Lena Voss & Jo Kern", "lastfm", 90),
    ],
)
def test_other_songs_the_same_source_and_other_times_are_other_listens(
    user: User, title: str, artist: str, listing: str, second: int
) -> None:
    heard(user, make_track("Song", artist="Lena Voss"), "spotify", 200, 200_000)
    heard(user, make_track(title, artist=artist), listing, second)
    assert double_ids(Play.objects.all()) == {}


def test_no_source_is_taken_twice_for_one_listen(user: User) -> None:
    song, other = make_track("Song", artist="Lena Voss"), make_track("Song", artist="Lena Voss & Jo Kern")
    full = heard(user, song, "spotify", 200, 200_000)
    first = heard(user, song, "lastfm", 1)
    heard(user, other, "lastfm", 3)
    assert double_ids(Play.objects.all()) == {first.pk: full.pk}
