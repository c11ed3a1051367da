"""The weekly lists as work in the background, each night, so that a later night makes what is missing."""

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jobs.registry import Kind, Run
from recommender.weekly.dates import due_week, until_next_run


def _run_week(run: Run) -> str:
    # Imported here, so that the web server starts without them.
    from recommender.experiments.serving import site_serving
    from recommender.weekly.emails import send_emails
    from recommender.weekly.making import close_lists, make_lists

    if not settings.WEEKLY_LIST_DAY:
        return "skipped, because weekly lists are off"
    now = timezone.now()
    closed, made, sent = close_lists(now), 0, 0
    week = due_week(now)
    if week is not None:
        serving = site_serving()
        if serving is None:
            return "skipped, because there is no model yet"
        loaded, setting = serving
        made = make_lists(week, loaded, now, run, setting)
        sent = send_emails(week.monday, run)
    return f"{made} lists made, {closed} judged, {sent} emails sent"


WEEKLY_LISTS = Kind(
    name="weekly-lists", label=_("Weekly lists"), handler=_run_week, every=until_next_run, is_startable=True
)
