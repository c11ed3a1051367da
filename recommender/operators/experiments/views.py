"""Pages of experiments, for operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from accounts.two_factor.staff import operator_page
from recommender.experiments.services import (
    ExperimentError,
    adopt_arm,
    create_experiment,
    reset_site_setting,
    start_experiment,
    stop_experiment,
)
from recommender.experiments.serving import site_setting
from recommender.models import Experiment
from recommender.operators.experiments.forms import AdoptForm, ConfirmForm, ExperimentForm
from recommender.operators.experiments.presentation import (
    cached_figures,
    cached_warnings,
    limit_lines,
    rates_chart,
    sentences,
    setting_words,
    table_of,
)

SHOWN = 50
VIEW, CHANGE = "recommender.view_experiment", "recommender.change_experiment"


@require_safe
@operator_page(VIEW)
def experiments(request: HttpRequest) -> HttpResponse:
    """List the experiments, the newest first, with a form for a new one."""
    return _list_page(request, ExperimentForm())


@require_POST
@operator_page(CHANGE)
def create(request: HttpRequest) -> HttpResponse:
    """Create an experiment that isn't started."""
    form = ExperimentForm(request.POST)
    if form.is_valid():
        data = form.cleaned_data
        try:
            experiment = create_experiment(
                name=data["name"],
                arms=form.arms(),
                share=data["share"],
                days=data["days"],
                max_loss=data["max_loss"],
                user=cast(User, request.user),
            )
        except ExperimentError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Created “%(name)s”. It isn't running yet.") % {"name": experiment.name})
            return redirect("recommender:experiment", experiment.pk)
    return _list_page(request, form, status=400)


@require_safe
@operator_page(VIEW)
def experiment(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what the arms have earned so far, and what was done with the experiment."""
    chosen = get_object_or_404(Experiment, pk=pk)
    return _experiment_page(request, chosen, AdoptForm(chosen))


@require_POST
@operator_page(CHANGE)
def start(request: HttpRequest, pk: int) -> HttpResponse:
    """Serve the arms from the next page on."""
    chosen = get_object_or_404(Experiment, pk=pk)
    return _confirmed(
        request,
        chosen,
        lambda user: start_experiment(experiment=chosen, user=user),
        _("“%(name)s” is now running.") % {"name": chosen.name},
    )


@require_POST
@operator_page(CHANGE)
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    """Serve everybody alike again."""
    chosen = get_object_or_404(Experiment, pk=pk)
    return _confirmed(
        request,
        chosen,
        lambda user: stop_experiment(experiment=chosen, user=user),
        _("Stopped “%(name)s”.") % {"name": chosen.name},
    )


@require_POST
@operator_page(CHANGE)
def adopt(request: HttpRequest, pk: int) -> HttpResponse:
    """Make an arm's setting the site's own."""
    chosen = get_object_or_404(Experiment, pk=pk)
    form = AdoptForm(chosen, request.POST)
    if not form.is_valid():
        return _experiment_page(request, chosen, form, status=400)
    arm, note = form.cleaned_data["arm"], form.cleaned_data["note"]
    return _confirmed(
        request,
        chosen,
        lambda user: adopt_arm(arm=arm, user=user, note=note),
        _("Adopted “%(arm)s” for the whole site.") % {"arm": arm.name},
    )


@require_POST
@operator_page(CHANGE)
def reset(request: HttpRequest) -> HttpResponse:
    """Take back what adopted experiments changed for the whole site."""
    if ConfirmForm(request.POST).is_valid():
        reset_site_setting()
        messages.success(request, _("Everything is served as delivered again."))
    else:
        messages.error(request, _("Tick the box to confirm."))
    return redirect("recommender:experiments")


def _confirmed(request: HttpRequest, chosen: Experiment, work: Callable[[User], None], success: str) -> HttpResponse:
    """Do what was confirmed, and show the experiment with what came of it."""
    if not ConfirmForm(request.POST).is_valid():
        messages.error(request, _("Tick the box to confirm."))
        return redirect("recommender:experiment", chosen.pk)
    try:
        work(cast(User, request.user))
    except ExperimentError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, success)
    return redirect("recommender:experiment", chosen.pk)


def _experiment_page(
    request: HttpRequest, chosen: Experiment, adopt_form: AdoptForm, status: int = 200
) -> HttpResponse:
    figures = cached_figures(chosen)
    context = {
        "experiment": chosen,
        "adopt_form": adopt_form,
        "figures": figures,
        "arms": [(arm.arm, setting_words(arm)) for arm in figures.arms],
        "warnings": cached_warnings(chosen),
        "rows": table_of(figures),
        "chart": rates_chart(figures),
        "sentences": sentences(figures),
        "events": chosen.events.select_related("user", "arm"),
    }
    return render(request, "recommender/experiment.html", context, status=status)


def _list_page(request: HttpRequest, form: ExperimentForm, status: int = 200) -> HttpResponse:
    context = {
        "experiments": Experiment.objects.prefetch_related("arms")[:SHOWN],
        "form": form,
        "site_setting": site_setting().text,
        "limits": limit_lines(),
    }
    return render(request, "recommender/experiments.html", context, status=status)
