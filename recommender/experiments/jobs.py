"""The periodic look at running experiments as work in the background."""

from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from jobs.registry import Kind, Run


def _check(_run: Run) -> str:
    # Imported here, so that the web server starts without the libraries that the figures need.
    from recommender.experiments.services import check_running

    return "; ".join(check_running()) or "nothing to stop"


EXPERIMENTS = Kind(
    name="experiments",
    label=_("Check experiments"),
    handler=_check,
    every=lambda: timedelta(hours=1),
    is_startable=True,
)
