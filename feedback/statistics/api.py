"""Calls about statistics."""

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router

from accounts.apikit.auth import LISTENER, listener_of
from accounts.apikit.problems import responses
from feedback.statistics.schemas import StatisticsOut, StatisticsQuery
from feedback.statistics.selectors import statistics_of, zone_of

router = Router(tags=["history"])


@router.get(
    "/user/statistics", summary="Get your listening statistics", auth=LISTENER, response=responses(StatisticsOut)
)
def statistics(request: HttpRequest, query: Query[StatisticsQuery]) -> Any:
    """Statistics about your plays in a period, in your time zone."""
    user = listener_of(request)
    zone = zone_of(user)
    return {"time_zone": str(zone), **vars(statistics_of(user, query.period))}
