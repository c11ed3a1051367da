"""The year in cards: what they say, who sees them, and until when."""

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from django.core import signing
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone, translation
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from catalog.models import Track
from feedback.plays.models import Play
from feedback.statistics.selectors import statistics_of_year
from feedback.tests.factories import PlayFactory, UserFactory, make_track
from feedback.year_review import services
from feedback.year_review.cards import MARGIN, WIDTH, Card, cards_of, cut, wrap
from feedback.year_review.models import YearShare
from feedback.year_review.selectors import longest_streak, review_of, years_with_plays

URL = "/statistics/2025/"


def heard(user: User, track: Track, *moments: tuple[int, int, int, int], ms: int | None = 180_000) -> None:
    for year, month, day, hour in moments:
        played_at = datetime(year, month, day, hour, tzinfo=UTC)
        PlayFactory(user=user, track=track, played_at=played_at, ms_played=ms)


@pytest.fixture
def year(user: User) -> User:
    """A listener with two songs of 2025, of which the artist of the first was known before."""
    blues = make_track("Blue & <Grey>", artist="Ada", genres=["blues"])
    polka = make_track("Polka", artist="Bert & Co", genres=["polka"])
    heard(user, blues, (2024, 12, 31, 23), (2025, 3, 1, 9), (2025, 3, 2, 9), (2025, 3, 2, 21))
    heard(user, polka, (2025, 3, 3, 9), (2025, 7, 9, 9), (2026, 1, 1, 0))
    return user


def card_of(cards: list[Card], title: str) -> Card:
    return next(card for card in cards if card.title == title)


def test_the_figures_are_those_of_the_calendar_year(year: User) -> None:
    figures = statistics_of_year(year, 2025)
    assert (figures.plays, figures.songs, figures.artists, figures.milliseconds) == (5, 2, 2, 900_000)
    assert [plays for _day, plays in figures.spans] == [0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0]
    assert years_with_plays(year) == [2026, 2025, 2024]
    assert years_with_plays(UserFactory()) == []


def test_the_year_is_that_of_the_listeners_clock(year: User) -> None:
    year.time_zone = "Pacific/Auckland"
    assert statistics_of_year(year, 2025).plays == 6
    year.time_zone = "America/Los_Angeles"
    assert statistics_of_year(year, 2025).plays == 6
    assert years_with_plays(year) == [2025, 2024]


def test_what_the_ten_cards_say(year: User) -> None:
    cards = cards_of(review_of(year, 2025))
    assert [card.text for card in cards] == [
        "My 2025 in music. 5 plays. Songs: 2; Artists: 2; Days with music: 4; Days in a row: 3",
        "Time with music. 15 minutes. Minutes a day with music: 4",
        "Song of the year. Blue & <Grey>. Ada · 3 plays. First play: 1 Mar; Last play: 2 Mar",
        "My top songs. Blue & <Grey>: 3; Polka: 2",
        "Artist of the year. Ada. 3 plays. First play: 1 Mar; Last play: 2 Mar",
        "My top artists. Ada: 3; Bert & Co: 2",
        "My genres. Blues: 3; Polka: 2",
        "Month by month. March. Busiest day: 2 Mar, 2 plays",
        "Around the clock. 9:00 to 10:00. This is when I listen most.",
        "New to me. 1 artist. Heard for the first time this year. Bert & Co: 2",
    ]
    assert [(card.number, card.of, card.year) for card in cards] == [(n, 10, 2025) for n in range(1, 11)]
    full = WIDTH - 2 * MARGIN
    assert [row.bar for row in card_of(cards, "My top songs").rows] == [full, round(full * 2 / 3)]
    heights = [column.height for column in card_of(cards, "Month by month").columns]
    assert [height / max(heights) for height in heights] == [0, 0, 1, 0, 0, 0, 0.25, 0, 0, 0, 0, 0]


def test_cards_without_anything_on_them_are_left_out(user: User) -> None:
    assert cards_of(review_of(user, 2025)) == []
    alone = Track(title="Alone")
    alone.refresh_derived([])
    alone.save()
    heard(user, alone, (2025, 5, 5, 5), ms=None)
    titles = [card.title for card in cards_of(review_of(user, 2025))]
    assert titles == ["My 2025 in music", "Song of the year", "Month by month", "Around the clock"]


def test_a_year_that_goes_on_says_so(user: User) -> None:
    now = timezone.now()
    PlayFactory(user=user, track=make_track("New"), played_at=now)
    assert cards_of(review_of(user, now.year))[0].title == f"My {now.year} in music, so far"


def test_streaks() -> None:
    days = [datetime(2024, 2, day).date() for day in (27, 28, 29)] + [datetime(2024, 3, 1).date()]
    assert longest_streak([]) == 0
    assert longest_streak([*days, datetime(2024, 3, 3).date()]) == 4


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("One two three", ["One two", "three"]),
        ("Donaudampfschiff", ["Donaudam", "pfschiff"]),
        ("one two three four five six", ["one two", "three", "four fi…"]),
        ("夜に駆ける", ["夜に駆け", "る"]),
    ],
)
def test_headlines_are_broken_into_lines(text: str, lines: list[str]) -> None:
    assert wrap(text, 8, 3) == lines


@pytest.mark.parametrize(
    ("headline", "size", "lines"),
    [
        ("Polka", 230, ["Polka"]),
        ("October", 140, ["October"]),
        ("940 minutes", 140, ["940", "minutes"]),
        ("282 Wiedergaben", 112, ["282", "Wiedergaben"]),
        ("The Extraordinarily Long Band Name", 84, ["The", "Extraordinarily", "Long Band Name"]),
        ("Rindfleischetikettierung", 84, ["Rindfleischetik", "ettierung"]),
    ],
)
def test_a_headline_is_as_large_as_fits_without_breaking_a_word(headline: str, size: int, lines: list[str]) -> None:
    card = Card("Title", headline)
    assert (card.size, [line for _y, line in card.lines]) == (size, lines)


def test_a_text_that_fits_stays_whole() -> None:
    assert (cut("Schlüssel", 9), cut("Schlüssel 2", 9), cut("夜に駆ける", 6)) == ("Schlüssel", "Schlüsse…", "夜に…")


def test_the_page_and_its_files(year: User, client: Client) -> None:
    assert client.get(URL).status_code == 302
    client.force_login(year)
    page = client.get(URL).content.decode()
    assert page.count("<figure>") == 10
    assert "Blue &amp; &lt;Grey&gt;" in page
    answer = client.get("/statistics/2025/3.svg")
    assert (answer.headers["Content-Type"], answer.headers["Content-Disposition"]) == (
        "image/svg+xml",
        'attachment; filename="2025-3.svg"',
    )
    drawing = ElementTree.fromstring(answer.content)
    label = drawing.get("aria-label") or ""
    assert label.startswith("Song of the year. Blue & <Grey>. Ada · 3 plays. First play: ")
    assert client.get("/statistics/2025/11.svg").status_code == 404
    assert "Nothing played in this year" in client.get("/statistics/2023/").content.decode()
    for address in ("/statistics/1899/", "/statistics/0/", "/statistics/99999/"):
        assert client.get(address).status_code == 404


def test_a_picture_is_well_formed_whatever_a_song_is_called(user: User, client: Client) -> None:
    heard(user, make_track("Bell\x07 <\ufffe&\x0b>", artist="A\x00da"), (2025, 3, 1, 9))
    client.force_login(user)
    drawing = ElementTree.fromstring(client.get("/statistics/2025/3.svg").content)
    assert (drawing.get("aria-label") or "").startswith("Song of the year. Bell <&>. Ada · 1 play. ")


def test_german_cards(year: User, client: Client) -> None:
    client.force_login(year)
    page = client.get(URL, headers={"Accept-Language": "de"}).content.decode()
    assert "Mein Musikjahr 2025" in page
    with translation.override("de"):
        cards = cards_of(review_of(year, 2025))
    assert card_of(cards, "Monat für Monat").headline == "März"


def test_a_link_shows_the_year_until_it_ends(year: User, client: Client) -> None:
    client.force_login(year)
    assert client.post(f"{URL}share/", {"days": "7"}).status_code == 302
    page = client.get(URL).content.decode()
    [link] = set(re.findall(r'href="http://testserver(/year/[^"]+)"', page))
    visitor = Client()
    answer = visitor.get(link)
    assert answer.content.decode().count("<figure>") == 10
    assert (answer.headers["X-Robots-Tag"], "no-store" in answer.headers["Cache-Control"]) == (
        "noindex, nofollow",
        True,
    )
    assert year.username not in answer.content.decode()
    assert visitor.get(f"{link}1.svg").status_code == 200
    assert visitor.get("/statistics/2025/").status_code == 302
    YearShare.objects.update(
        created_at=timezone.now() - timedelta(days=8), ends_at=timezone.now() - timedelta(seconds=1)
    )
    assert [visitor.get(address).status_code for address in (link, f"{link}1.svg")] == [404, 404]
    assert "Create a link" in client.get(URL).content.decode()


def test_a_link_ends_at_once_when_its_listener_says_so(year: User, client: Client) -> None:
    first = f"/year/{services.token_of(services.share_year(user=year, year=2025, days=30))}/"
    second = f"/year/{services.token_of(services.share_year(user=year, year=2025, days=7))}/"
    assert [client.get(address).status_code for address in (first, second)] == [404, 200]
    other = Client()
    other.force_login(UserFactory())
    other.post(f"{URL}stop/")
    assert client.get(second).status_code == 200
    client.force_login(year)
    client.post(f"{URL}stop/")
    assert client.get(second).status_code == 404


def test_a_closed_account_shares_nothing(year: User, client: Client) -> None:
    token = services.token_of(services.share_year(user=year, year=2025, days=30))
    User.objects.update(is_active=False)
    assert client.get(f"/year/{token}/").status_code == 404


@pytest.mark.parametrize("days", ["", "0", "-7", "8", "36500", "x"])
def test_only_the_offered_times_are_taken(year: User, client: Client, days: str) -> None:
    client.force_login(year)
    answer = client.post(f"{URL}share/", {"days": days}, follow=True)
    assert "Choose for how long the link works." in answer.content.decode()
    assert not YearShare.objects.exists()


def test_guessed_links_lead_nowhere(year: User, client: Client) -> None:
    share = services.share_year(user=year, year=2025, days=30)
    good = services.token_of(share)
    others = [signing.Signer(salt="other").sign_object([share.pk, int(share.ends_at.timestamp())])]
    signer = signing.Signer(salt="feedback.year_review")
    others += [signer.sign_object(value) for value in ([share.pk, 0], [share.pk], "text", [None, None], {"a": 1})]
    for token in (good[:-1], f"{good}a", "x", "%00", "a" * 5_000, *others):
        assert client.get(f"/year/{token}/").status_code == 404, token
    assert client.get(f"/year/{good}/").status_code == 200


def test_the_database_holds_the_rules(year: User) -> None:
    now = timezone.now()
    services.share_year(user=year, year=2025, days=7)
    later = now + timedelta(days=9)
    for number, ends_at in ((2025, later), (2024, now - timedelta(days=1)), (5, later)):
        with pytest.raises(IntegrityError), transaction.atomic():
            YearShare.objects.create(user=year, year=number, created_at=now, ends_at=ends_at)


@pytest.mark.parametrize("songs", [1, 30])
def test_the_queries_do_not_grow(
    user: User, client: Client, songs: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(songs):
        heard(user, make_track(f"Song {number}", artist=f"Artist {number}", genres=["pop"]), (2025, 4, 1, number % 24))
    client.force_login(user)
    client.get(URL)
    with django_assert_num_queries(14):
        assert client.get(URL).status_code == 200
    assert Play.objects.count() == songs
