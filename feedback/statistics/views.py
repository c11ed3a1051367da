"""The statistics page."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import User
from feedback.statistics.charts import column_chart, ranking
from feedback.statistics.forms import PeriodForm
from feedback.statistics.selectors import PERIODS, Heard, period_with_plays, shown_artists, statistics_of, zone_of
from feedback.statistics.texts import hour_text, name_of
from feedback.web.http import listener_required


@require_safe
@listener_required
def statistics(request: HttpRequest) -> HttpResponse:
    """Show what the listener heard, when, and how often."""
    user = cast(User, request.user)
    period = PeriodForm(request.GET).period_chosen() or period_with_plays(user)
    zone = zone_of(user)
    with timezone.override(zone):
        figures = statistics_of(user, period)
        context = {
            "stats": figures,
            "period": period,
            "periods": [(name, label) for name, (label, _days) in PERIODS.items()],
            "zone": str(zone),
            "minutes": round(figures.milliseconds / 60_000),
        }
        if figures.plays:
            context |= {
                "spans": column_chart(
                    [_span(day, count, by_month=figures.by_month) for day, count in figures.spans], 7
                ),
                "hours": column_chart(
                    [(hour_text(hour), str(hour), count) for hour, count in enumerate(figures.hours)], 8
                ),
                "groups": [
                    (_("Genres"), "genres", _lines(figures.top_genres), figures.top_genres),
                    (
                        _("Artists"),
                        "artists",
                        _lines(figures.top_artists, shown_artists([row.thing for row in figures.top_artists])),
                        figures.top_artists,
                    ),
                    (_("Songs"), "songs", _lines(figures.top_songs), figures.top_songs),
                ],
            }
        return render(request, "feedback/statistics.html", context)


def _lines(heard: Sequence[Heard], with_page: Collection[int] | None = None) -> object:
    return ranking([(name_of(row.thing), _address(row.thing, with_page), row.plays) for row in heard])


def _address(thing: Any, with_page: Collection[int] | None) -> str:
    """Return the page of a song, artist or genre; "" for what only the listener's history knows."""
    has_page = getattr(thing, "is_active", True) if with_page is None else thing.pk in with_page
    return str(thing.get_absolute_url()) if has_page else ""


def _span(day: date, count: int, *, by_month: bool) -> tuple[str, str, int]:
    label = (
        date_format(day, "YEAR_MONTH_FORMAT")
        if by_month
        else _("Week of %(day)s") % {"day": date_format(day, "DATE_FORMAT")}
    )
    return label, date_format(day, "M y" if by_month else "MONTH_DAY_FORMAT"), count
