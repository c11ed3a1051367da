"""Pages for operators: how good the recommendations are, and which model serves."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.two_factor.staff import operator_page
from recommender.adapters.logged_pages import ANSWER_DAYS
from recommender.lifecycle.versions import UnusableModelError, activate_checked
from recommender.models import ModelVersion
from recommender.operators import dashboard
from recommender.operators.charts import HEIGHT, WIDTH, quality_chart
from recommender.operators.log_chart import log_chart
from recommender.operators.online_metrics import WINDOW_DAYS, online_metrics
from recommender.operators.reports import headline, quality_table, with_file, worded

VERSIONS_SHOWN = 30


@require_safe
@operator_page("recommender.view_modelversion")
def site_dashboard(request: HttpRequest) -> HttpResponse:
    """Show what there is, what happens each day, and what ran."""
    versions = [
        (
            version,
            headline(version),
            headline(version, "popularity"),
            sum(version.timings.values()),
            ", ".join(f"{step} {seconds:.1f} s" for step, seconds in version.timings.items()),
        )
        for version in dashboard.latest_versions()
    ]
    context = {
        "counts": dashboard.counts(),
        "plays": dashboard.plays_per_day(),
        "likes": dashboard.likes_per_day(),
        "versions": versions,
        "jobs": [(job, (job.log.strip().splitlines() or [job.step])[-1]) for job in dashboard.latest_jobs()],
        "day_width": dashboard.WIDTH,
        "day_height": dashboard.HEIGHT,
        "days": dashboard.DAYS,
        "active_days": dashboard.ACTIVE_DAYS,
    }
    return render(request, "recommender/dashboard.html", context)


@require_safe
@operator_page("recommender.view_modelversion")
def quality(request: HttpRequest) -> HttpResponse:
    """Show the quality of the versions over time, and how listeners reacted to recommendations."""
    versions = list(ModelVersion.objects.all()[:VERSIONS_SHOWN])
    active = next((version for version in versions if version.active_slot), None)
    there = with_file(versions)
    context = {
        "versions": [
            (version, headline(version), headline(version, "popularity"), version.pk in there) for version in versions
        ],
        "active": active,
        "active_quality": worded(quality_table(active.metrics.get("rows", []))) if active else None,
        "chart": quality_chart(versions),
        "log_chart": log_chart(versions),
        "chart_width": WIDTH,
        "chart_height": HEIGHT,
        "online_metrics": online_metrics(),
        "window_days": WINDOW_DAYS,
        "answer_days": ANSWER_DAYS,
    }
    return render(request, "recommender/quality.html", context)


@require_POST
@operator_page("recommender.change_modelversion")
def activate_version(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a version serve from the next request on."""
    version = get_object_or_404(ModelVersion, pk=pk)
    try:
        activate_checked(version=version)
    except UnusableModelError as error:
        messages.error(request, _("Version %(pk)s can't be activated: %(why)s") % {"pk": pk, "why": error})
    else:
        messages.success(request, _("Version %(pk)s is now active.") % {"pk": pk})
    return redirect("recommender:quality")
