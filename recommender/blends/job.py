"""The lists of blends as work in the background: each night what is due, and at once what somebody has changed."""

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jobs.registry import Kind, Run
from recommender.blends.services import JOB
from recommender.weekly.dates import due_week, monday_of, until_next_run


def _run_blends(run: Run) -> str:
    # Imported here, so that the web server starts without them.
    from recommender.blends.making import renew
    from recommender.blends.selectors import due_blends
    from recommender.blends.services import delete_ended, drop_outdated
    from recommender.lifecycle.versions import active_model

    drop_outdated()
    delete_ended()
    now = timezone.now()
    week = due_week(now)
    due = list(due_blends(week.monday if week else None))
    if not due:
        return "0 lists made"
    loaded = active_model()
    if loaded is None:
        return "skipped, because there is no model yet"
    made = 0
    for number, blend in enumerate(due):
        made += renew(blend, week.monday if week else monday_of(now), loaded)
        run.report(f"{made} lists made", (number + 1) / len(due))
        run.give_way()
    return f"{made} lists made"


BLENDS = Kind(name=JOB, label=_("Blends"), handler=_run_blends, every=until_next_run, is_startable=True)
