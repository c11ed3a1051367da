"""The chart of what was expected of the weekly lists and how it went."""

from datetime import date, timedelta

import pytest

from recommender.adapters.heard_songs import ListResult
from recommender.models import WeeklyList
from recommender.weekly.charts import weeks_chart
from recommender.weekly.selectors import WeekLine

LAST = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("number", "dates"),
    [
        (2, ["30 Nov", "23 Nov"]),
        (6, ["30 Nov", "23 Nov", "16 Nov", "9 Nov", "2 Nov", "26 Oct"]),
        (12, ["30 Nov", "16 Nov", "2 Nov", "19 Oct", "5 Oct", "21 Sep"]),
    ],
)
def test_as_many_dates_as_there_is_room_for(number: int, dates: list[str]) -> None:
    lines = [
        WeekLine(WeeklyList(day=LAST - timedelta(weeks=week)), 30, ListResult(20, 9.5, 12)) for week in range(number)
    ]
    chart = weeks_chart(lines)
    assert chart is not None
    assert len(chart.weeks) == number
    assert [text for _x, text in chart.dates] == dates
    # The newest week is the last bar, and its date is below it.
    assert chart.dates[0][0] == chart.weeks[-1].middle
