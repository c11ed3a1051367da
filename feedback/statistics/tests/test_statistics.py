"""What plays add up to, and its page."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from feedback.plays.models import Play
from feedback.statistics.charts import axis_end, column_chart, ranking
from feedback.statistics.selectors import statistics_of
from feedback.tests.factories import PlayFactory, UserFactory, make_track

URL = "/statistics/"

# A Wednesday.
NOW = datetime(2026, 3, 11, 12, 0, tzinfo=UTC)


def _at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def play(user: User, title: str, *moment: int, artist: str = "Someone", **columns: Any) -> Play:
    genres = columns.pop("genres", ())
    track = make_track(title, artist=artist, genres=genres)
    return PlayFactory(user=user, track=track, played_at=_at(*moment), **columns)


def test_weeks_begin_on_monday_and_empty_ones_are_there(user: User) -> None:
    play(user, "A", 2026, 3, 9, 0, 0)
    play(user, "B", 2026, 3, 8, 23, 59)
    play(user, "C", 2026, 2, 16, 5, 0)
    statistics = statistics_of(user, "month", NOW)
    weeks = [(2, 9), (2, 16), (2, 23), (3, 2), (3, 9)]
    assert [day for day, _count in statistics.spans] == [date(2026, month, day) for month, day in weeks]
    assert [count for _day, count in statistics.spans] == [0, 1, 0, 1, 1]
    assert not statistics.by_month


def test_hours_and_weeks_are_those_of_the_listeners_clock(user: User) -> None:
    user.time_zone = "Asia/Kolkata"  # five and a half hours ahead
    play(user, "A", 2026, 3, 8, 18, 45)
    statistics = statistics_of(user, "month", NOW)
    assert [hour for hour, count in enumerate(statistics.hours) if count] == [0]
    assert statistics.spans[-1] == (date(2026, 3, 9), 1)
    user.time_zone = "America/New_York"  # the clocks went forward that morning
    assert [hour for hour, count in enumerate(statistics_of(user, "month", NOW).hours) if count] == [14]


def test_long_times_are_counted_by_month(user: User) -> None:
    play(user, "Old", 2023, 12, 31, 12)
    play(user, "New", 2026, 3, 1, 12)
    statistics = statistics_of(user, "all", NOW)
    assert statistics.by_month
    assert len(statistics.spans) == 28
    assert (statistics.spans[0], statistics.spans[-1]) == ((date(2023, 12, 1), 1), (date(2026, 3, 1), 1))
    assert sum(count for _day, count in statistics.spans) == 2
    assert len(statistics_of(user, "year", NOW).spans) == 53


def test_rankings_with_first_and_last_heard(user: User) -> None:
    track = play(user, "Often", 2026, 3, 1, 10, artist="Duo", ms_played=60_000, genres=["pop", "rock"]).track
    last = PlayFactory(user=user, track=track, played_at=NOW, ms_played=30_000)
    play(user, "Once", 2026, 3, 2, 10, artist="Solo", genres=["rock"])
    play(UserFactory(), "Theirs", 2026, 3, 2, 10)
    PlayFactory(user=user, track=make_track("Hidden", is_active=False), played_at=NOW)
    statistics = statistics_of(user, "year", NOW)
    assert (statistics.plays, statistics.songs, statistics.artists, statistics.milliseconds) == (3, 2, 2, 90_000)
    assert [(str(row.thing), row.plays) for row in statistics.top_genres] == [("rock", 3), ("pop", 2)]
    assert [(str(row.thing), row.plays) for row in statistics.top_artists] == [("Duo", 2), ("Solo", 1)]
    top = statistics.top_songs[0]
    assert (top.thing, top.first, top.last) == (track, datetime(2026, 3, 1, 10, tzinfo=UTC), last.played_at)
    assert (statistics.first, statistics.last) == (datetime(2026, 3, 1, 10, tzinfo=UTC), NOW)


def test_nothing_played(user: User) -> None:
    statistics = statistics_of(user, "all", NOW)
    assert (statistics.plays, statistics.songs, statistics.artists) == (0, 0, 0)
    assert (statistics.milliseconds, statistics.first) == (0, None)
    assert statistics.spans == [(date(2026, 3, 9), 0)]


def test_the_page(listener: Client, user: User) -> None:
    assert "Nothing played in this period" in listener.get(URL).content.decode()
    PlayFactory(user=user, track=make_track("Song <b>", artist="Some & One", genres=["pop"]))
    html = listener.get(URL).content.decode()
    assert "Song &lt;b&gt;" in html
    assert "Some &amp; One" in html
    assert html.count('<svg class="column-chart"') == 2
    assert "Time zone: UTC" in html
    assert listener.get(URL, {"period": "nonsense"}).context["period"] == "year"
    assert listener.get(URL, {"period": "all"}).context["period"] == "all"


def test_anonymous_visitors_log_in(client: Client, db: None) -> None:
    assert client.get(URL)["Location"] == "/accounts/login/?next=/statistics/"
    assert client.get("/history.csv")["Location"] == "/accounts/login/?next=/history.csv"


def test_query_count_does_not_grow(
    listener: Client, user: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for rows in (1, 3, 30):
        while user.plays.count() < rows:
            number = user.plays.count()
            PlayFactory(user=user, track=make_track(f"Song {number}", artist=f"Artist {number}", genres=["pop"]))
        with django_assert_num_queries(11):
            listener.get(URL)


@pytest.mark.parametrize(
    ("highest", "end"),
    [(0, 2), (2, 2), (3, 4), (7, 8), (10, 10), (11, 12), (14, 16), (94, 100), (102, 120), (730, 800)],
)
def test_axes_end_at_round_numbers(highest: int, end: int) -> None:
    assert axis_end(highest) == end


def test_bars_stand_on_the_axis_and_some_are_named() -> None:
    chart = column_chart([(f"Day {day}", str(day), day) for day in range(4)], marks=2)
    assert {round(column.y + column.height, 1) for column in chart.columns} == {166.0}
    assert [column.height for column in chart.columns] == [0.0, 39.0, 78.0, 117.0]
    assert [mark for _x, mark in chart.middles] == ["0", "2"]
    assert [text for _y, text in chart.grid] == ["0", "2", "4"]


def test_a_ranking_is_measured_by_its_first() -> None:
    lines = ranking([("a", "/a/", 8), ("b", "/b/", 2)])
    assert [(line.label, line.share, line.y) for line in lines] == [("a", 100.0, 0), ("b", 25.0, 30)]
    assert ranking([]) == []
