"""Times in the notations of many tools."""

from datetime import UTC, datetime
from typing import Any

import pytest

from feedback.history_import.reading.times import DAY_FIRST, MONTH_FIRST, Times


def read(value: Any, order: str = "") -> str | None:
    at = Times(order=order).read(value)
    return None if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (1_714_816_800, "2024-05-04 10:00:00"),
        (1_714_816_800.7, "2024-05-04 10:00:00"),
        (1_714_816_800_000, "2024-05-04 10:00:00"),
        (1_714_816_800_000_000, "2024-05-04 10:00:00"),
        ("1714816800", "2024-05-04 10:00:00"),
        ("1714816800.0", "2024-05-04 10:00:00"),
        ("1714816800000", "2024-05-04 10:00:00"),
        ("2024-05-04T10:00:07Z", "2024-05-04 10:00:07"),
        ("2024-05-04T10:00:07.123Z", "2024-05-04 10:00:07"),
        ("2024-05-04T12:00:07+02:00", "2024-05-04 10:00:07"),
        ("2016-12-15 13:58:52 UTC", "2016-12-15 13:58:52"),
        ("2024-05-04 10:00", "2024-05-04 10:00:00"),
        ("2024/05/04 10:00:07", "2024-05-04 10:00:07"),
        ("2024.05.04 10:00:07", "2024-05-04 10:00:07"),
        ("20240504", "2024-05-04 00:00:00"),
        ("2024-05-04 10:00:07 +0200", "2024-05-04 08:00:07"),
        ("04 May 2024, 10:00", "2024-05-04 10:00:00"),
        ("04 May 2024 10:00:07", "2024-05-04 10:00:07"),
        ("4-May-2024 10:00", "2024-05-04 10:00:00"),
        ("May 4, 2024, 1:05 PM", "2024-05-04 13:05:00"),
        ("May 4, 2024 12:05:09 am", "2024-05-04 00:05:09"),
        ("Saturday, May 4th 2024, 10:00", "2024-05-04 10:00:00"),
        ("Tue Feb 26 2019 08:34:33 GMT+0000", "2019-02-26 08:34:33"),
        ("Tue Feb 26 2019 08:34:33 GMT+0100 (Central European Standard Time)", "2019-02-26 07:34:33"),
        ("Tue, 26 Feb 2019 08:34:33 +0000", "2019-02-26 08:34:33"),
        ("26. Februar 2019 20:15", "2019-02-26 20:15:00"),
        ("mar. 26 févr. 2019 20:15:01", "2019-02-26 20:15:01"),
        ("26 de mayo de 2019, 20:15", "2019-05-26 20:15:00"),
        ("26/02/2019 08:34:33 +00:00", "2019-02-26 08:34:33"),
        ("02/26/2019 8:34 PM", "2019-02-26 20:34:00"),
        ("31.01.2018 04:58:59 +00:00", "2018-01-31 04:58:59"),
        ("03.02.2018, 04:58", "2018-02-03 04:58:00"),
        ("05/05/2024 10:00", "2024-05-05 10:00:00"),
        ("31-12-17 23:59", "2017-12-31 23:59:00"),
        ("12:30 04 May 2024", "2024-05-04 12:30:00"),
        ("10:00 AM May 4 2024", "2024-05-04 10:00:00"),
        ("20:15 26-02-2019", "2019-02-26 20:15:00"),
        ("20:15:00+0200 26 Feb 2019", "2019-02-26 18:15:00"),
        ("2024-05-04 10.00.07", "2024-05-04 10:00:07"),
        ("2024-05-04 10:00:07 CEST", "2024-05-04 08:00:07"),
        ("May 4, 2024 10:00 PM EST", "2024-05-05 03:00:00"),
        ("Sat May 04 10:00:07 UTC 2024", "2024-05-04 10:00:07"),
        ("2024年5月4日 10:00", "2024-05-04 10:00:00"),
        ("4 мая 2024 10:00", "2024-05-04 10:00:00"),
        ("4 maja 2024, 10:00", "2024-05-04 10:00:00"),
        ("1.714816807E9", "2024-05-04 10:00:07"),
        ("yesterday", None),
        ("", None),
        ("32/13/2019 10:00", None),
        ("2024-02-30", None),
        (None, None),
        (True, None),
        ({}, None),
    ],
)
def test_a_notation(value: Any, moment: str | None) -> None:
    assert read(value) == moment


@pytest.mark.parametrize("text", ["12/10/2017 21:47", "12-10-2017 21:47", "12/10/17 9:47 PM"])
def test_only_the_listener_knows_which_is_the_day(text: str) -> None:
    times = Times()
    assert times.read(text) is None
    assert (times.examples, times.settle()) == ([text], "")
    assert read(text, DAY_FIRST) == "2017-10-12 21:47:00"
    assert read(text, MONTH_FIRST) == "2017-12-10 21:47:00"


def test_other_times_of_the_file_tell_which_is_the_day() -> None:
    times = Times()
    for text in ("12/10/2017 21:47", "13/10/2017 21:47"):
        times.read(text)
    assert times.settle() == DAY_FIRST
    times.read("10/13/2017 21:47")
    assert times.settle() == ""


@pytest.mark.parametrize(
    ("text", "has_seconds"),
    [("2024-05-04 10:00", False), ("2024-05-04 10:00:00", True), ("04 May 2024 10:00", False), ("1714816800", True)],
)
def test_whether_seconds_are_told(text: str, has_seconds: bool) -> None:
    times = Times()
    assert times.read(text) is not None
    assert times.has_seconds is has_seconds
