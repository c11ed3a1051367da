"""The listener's history as a file, and as pictures."""

from collections.abc import Sequence
from datetime import date
from typing import cast

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.models import User
from feedback.charts import column_chart, ranking
from feedback.exports import history_csv, page_address
from feedback.forms import HistoryForm, PeriodForm
from feedback.http import listener_required
from feedback.selectors import history_of
from feedback.statistics import PERIODS, Heard, statistics_of, zone_of


@require_GET
@listener_required
def statistics(request: HttpRequest) -> HttpResponse:
    """Show what the listener heard, when, and how often."""
    user = cast(User, request.user)
    period = PeriodForm(request.GET).period_chosen()
    zone = zone_of(user)
    with timezone.override(zone):
        found = statistics_of(user, period)
        context = {
            "stats": found,
            "period": period,
            "periods": [(name, label) for name, (label, _days) in PERIODS.items()],
            "zone": str(zone),
            "minutes": round(found.milliseconds / 60_000),
        }
        if found.plays:
            context |= {
                "spans": column_chart([_span(day, count, by_month=found.by_month) for day, count in found.spans], 7),
                "hours": column_chart([(_hour(hour), str(hour), count) for hour, count in enumerate(found.hours)], 8),
                "groups": [
                    (_("Genres"), "genres", _lines(found.top_genres), found.top_genres),
                    (_("Artists"), "artists", _lines(found.top_artists), found.top_artists),
                    (_("Songs"), "songs", _lines(found.top_songs), found.top_songs),
                ],
            }
        return render(request, "feedback/statistics.html", context)


@require_GET
@listener_required
def export_history(request: HttpRequest) -> StreamingHttpResponse:
    """Hand out the listener's plays, as filtered, as a CSV file; times are UTC."""
    query, outcome = HistoryForm(request.GET).choices_made()
    return history_csv(history_of(cast(User, request.user), query, outcome), page_address(request))


def _lines(heard: Sequence[Heard]) -> object:
    return ranking([(_name(row.thing), row.thing.get_absolute_url(), row.plays) for row in heard])


def _name(thing: object) -> str:
    return str(getattr(thing, "title", thing))


def _span(day: date, count: int, *, by_month: bool) -> tuple[str, str, int]:
    label = date_format(day, "F Y") if by_month else _("Week of %(day)s") % {"day": date_format(day, "j M Y")}
    return label, date_format(day, "M y" if by_month else "j M"), count


def _hour(hour: int) -> str:
    return _("%(hour)d to %(next)d o'clock") % {"hour": hour, "next": hour + 1}
