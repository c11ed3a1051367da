"""Which week's lists are due, in the site's time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.utils import timezone

NIGHT_HOUR = 3
"""The job runs each night at this hour. On the other nights it makes the lists that are missing."""
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class DueWeek:
    """A week whose lists are due: ``monday`` of the ISO week, and the day that they are dated."""

    monday: date
    day: date


def due_week(now: datetime) -> DueWeek | None:
    """Return the week of the last ``WEEKLY_LIST_DAY``, that of today at the latest; ``None`` where lists are off.

    Whoever got no list on that day gets one on a later night, until the next such day.
    """
    if not settings.WEEKLY_LIST_DAY:
        return None
    today, monday = site_day(now), monday_of(now)
    day = monday + timedelta(days=WEEKDAYS.index(settings.WEEKLY_LIST_DAY))
    week = timedelta(days=7) if today < day else timedelta(0)
    return DueWeek(monday - week, day - week)


def monday_of(now: datetime) -> date:
    """Return the Monday of the ISO week of a moment, in the site's time zone."""
    today = site_day(now)
    return today - timedelta(days=today.weekday())


def site_day(now: datetime) -> date:
    """Return the day of a moment in the site's time zone."""
    return timezone.localdate(now, timezone.get_default_timezone())


def until_next_run() -> timedelta | None:
    """Return the time until the next night's run; ``None`` where lists are off."""
    if not settings.WEEKLY_LIST_DAY:
        return None
    now = timezone.localtime(timezone=timezone.get_default_timezone())
    at = now.replace(hour=NIGHT_HOUR, minute=0, second=0, microsecond=0)
    return (at if at > now else at + timedelta(days=1)) - now
