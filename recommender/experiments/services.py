"""Creating, starting, stopping and adopting experiments; the guard rail."""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from feedback.web.feed_cache import require_token
from recommender.experiments.figures import DECIDING, ArmFigures, figures_of
from recommender.experiments.serving import BUCKETS, setting_of
from recommender.experiments.settings import ArmSetting
from recommender.lifecycle.loading import UnusableModelError, ensure_local, model_path
from recommender.lifecycle.versions import activate_checked
from recommender.models import (
    Experiment,
    ExperimentArm,
    ExperimentBucket,
    ExperimentEvent,
    ModelVersion,
    SiteServing,
)

MIN_ARMS, MAX_ARMS = 2, 3
CONTROL = "control"
Action = ExperimentEvent.Action
_ADOPTABLE = (Experiment.State.RUNNING, Experiment.State.STOPPED)


class ExperimentError(Exception):
    """It can't be done; the message says why and what is allowed."""


@dataclass(frozen=True)
class ArmPlan:
    """The name of an arm and what it changes."""

    name: str
    setting: ArmSetting


@transaction.atomic
def create_experiment(
    *,
    name: str,
    arms: Sequence[ArmPlan],
    share: int = 100,
    days: int = 28,
    max_loss: int = 10,
    user: User | None = None,
) -> Experiment:
    """Create an experiment that isn't started; the first arm is the control. Raise ``ExperimentError``."""
    # As the form of the page does it: a name of blanks is none, and one with blanks around it can't be typed again.
    arms = [ArmPlan(" ".join(plan.name.split()), plan.setting) for plan in arms]
    _check_arms(arms)
    name = " ".join(name.split())
    experiment = Experiment(name=name, share=share, days=days, max_loss=max_loss, salt=uuid.uuid4().hex)
    try:
        experiment.full_clean()
    except ValidationError as error:
        raise ExperimentError(_in_words(error)) from error
    experiment.save()
    for number, plan in enumerate(arms):
        _create_arm(experiment, number, plan)
    _log(experiment, Action.CREATED, user)
    return experiment


def start_experiment(*, experiment: Experiment, user: User | None = None) -> None:
    """Serve its arms from the next page on, once each process has read their models. Raise ``ExperimentError``.

    With a model store, versions that aren't on this machine are fetched first.
    """
    # Before anything is locked: fetching can take minutes.
    _check_state(experiment, Experiment.State.DRAFT)
    _check_versions(experiment)
    try:
        with transaction.atomic():
            _start(_locked(experiment, Experiment.State.DRAFT), user)
    except IntegrityError as error:
        # Another one was started at the same time and took the same listeners.
        raise ExperimentError(_("Another experiment was started at the same time. Try again.")) from error
    experiment.refresh_from_db()


def stop_experiment(*, experiment: Experiment, user: User | None = None, note: str = "") -> None:
    """End it; all its listeners are served as the others again. Raise ``ExperimentError``."""
    figures = figures_of(experiment).to_dict()
    with transaction.atomic():
        locked = _locked(experiment, Experiment.State.RUNNING)
        _end(locked, Experiment.State.STOPPED)
        _log(locked, Action.STOPPED, user, note=note, figures=figures)
    experiment.refresh_from_db()


def adopt_arm(*, arm: ExperimentArm, user: User | None = None, note: str) -> None:
    """Make what the arm changes the site's own setting, ending the experiment if it runs. Raise ``ExperimentError``.

    ``note``: why; it stays in the log with the figures of this moment.
    """
    experiment = arm.experiment
    if not note.strip():
        raise ExperimentError(_("Say why. That stays in the log."))
    # Before the model is activated; and once more when it is locked.
    experiment.refresh_from_db()
    _check_state(experiment, *_ADOPTABLE)
    figures = figures_of(experiment).to_dict()
    try:
        if arm.model_version is not None and not arm.model_version.active_slot:
            # It reads the file through, so it comes before anything is locked.
            activate_checked(version=arm.model_version)
    except UnusableModelError as error:
        message = _("Version %(pk)s can't be activated: %(why)s")
        raise ExperimentError(message % {"pk": arm.model_version_id, "why": error}) from error
    with transaction.atomic():
        locked = _locked(experiment, *_ADOPTABLE)
        _adopt_setting(setting_of(arm))
        _end(locked, Experiment.State.ADOPTED)
        _log(locked, Action.ADOPTED, user, arm=arm, note=note.strip(), figures=figures)
    experiment.refresh_from_db()


@transaction.atomic
def reset_site_setting() -> None:
    """Take back what adopted experiments changed: dial, shelves and numbers. The active model version stays."""
    SiteServing.objects.update(dial=None, overrides={}, shelves=[])
    _change_token()


def check_running(now: datetime | None = None) -> list[str]:
    """Stop arms that lose too much, and experiments whose time is over; return what was done, in sentences."""
    now = now or timezone.now()
    running = Experiment.objects.filter(state=Experiment.State.RUNNING).order_by("pk")
    return [sentence for experiment in running for sentence in _check(experiment, now)]


def _check_arms(arms: Sequence[ArmPlan]) -> None:
    if not MIN_ARMS <= len(arms) <= MAX_ARMS:
        message = _("An experiment has %(low)d or %(high)d arms, the control included.")
        raise ExperimentError(message % {"low": MIN_ARMS, "high": MAX_ARMS})
    # MariaDB takes names that differ in letters' case for the same.
    if len({plan.name.casefold() for plan in arms}) < len(arms):
        raise ExperimentError(_("Each arm needs a name of its own."))


def _create_arm(experiment: Experiment, number: int, plan: ArmPlan) -> None:
    setting = plan.setting
    version = None
    if setting.version is not None:
        version = ModelVersion.objects.filter(pk=setting.version).first()
        if version is None:
            raise ExperimentError(_("There is no version %(number)s.") % {"number": setting.version})
    arm = ExperimentArm(
        experiment=experiment,
        number=number,
        name=plan.name,
        model_version=version,
        dial=setting.dial,
        overrides=dict(setting.overrides),
        shelves=list(setting.shelves),
    )
    try:
        arm.clean_fields(exclude=["overrides", "shelves", "model_version", "dial", "pinned_version", "stopped_at"])
    except ValidationError as error:
        raise ExperimentError(_in_words(error)) from error
    arm.save()


def _check_versions(experiment: Experiment) -> None:
    """Raise ``ExperimentError`` unless this machine has the files of all versions, or fetches them now."""
    for version in ModelVersion.objects.filter(pk__in=experiment.arms.values("model_version")).order_by("pk"):
        try:
            ensure_local(version)
        except UnusableModelError as error:
            message = _("Version %(pk)s can't be fetched from the model store: %(why)s")
            raise ExperimentError(message % {"pk": version.pk, "why": error}) from error
        if not (folder := model_path(version)).is_dir():
            message = _(
                "The files of version %(pk)s aren't on this machine. Copy its folder to %(folder)s, from a machine "
                "or a backup that has it, or choose another version."
            )
            raise ExperimentError(message % {"pk": version.pk, "folder": folder})


def _start(experiment: Experiment, user: User | None) -> None:
    arms = list(experiment.arms.select_related("model_version"))
    active = ModelVersion.objects.filter(active_slot=True).first()
    if active is None:
        raise ExperimentError(_("No version is active yet. See: manage.py retrain"))
    if any(arm.model_version for arm in arms):
        for arm in arms:
            if arm.model_version is None:
                arm.pinned_version = active
                arm.save(update_fields=["pinned_version"])
    _take_buckets(experiment)
    experiment.state = Experiment.State.RUNNING
    experiment.started_at = timezone.now()
    experiment.ends_at = experiment.started_at + timedelta(days=experiment.days)
    experiment.save(update_fields=["state", "started_at", "ends_at"])
    _log(experiment, Action.STARTED, user)
    _change_token()


def _take_buckets(experiment: Experiment) -> None:
    """Take as many of the buckets that no other experiment has as its share says. Raise ``ExperimentError``."""
    taken = set(ExperimentBucket.objects.values_list("number", flat=True))
    free = [number for number in range(BUCKETS) if number not in taken]
    if len(free) < experiment.share:
        message = _("Other experiments have %(taken)d %% of the listeners, so at most %(free)d %% are left.")
        raise ExperimentError(message % {"taken": len(taken), "free": len(free)})
    # Other listeners each time, but the same for this experiment.
    chosen = random.Random(experiment.salt).sample(free, experiment.share)  # noqa: S311
    ExperimentBucket.objects.bulk_create(
        ExperimentBucket(number=number, experiment=experiment) for number in sorted(chosen)
    )


def _end(experiment: Experiment, state: Experiment.State) -> None:
    experiment.buckets.all().delete()
    experiment.state = state
    experiment.stopped_at = experiment.stopped_at or timezone.now()
    experiment.save(update_fields=["state", "stopped_at"])
    _change_token()


def _adopt_setting(setting: ArmSetting) -> None:
    row = _site_row()
    row.dial = row.dial if setting.dial is None else setting.dial
    row.overrides = {**row.overrides, **setting.overrides}
    row.shelves = list(setting.shelves) or row.shelves
    row.save(update_fields=["dial", "overrides", "shelves"])


def _check(experiment: Experiment, now: datetime) -> list[str]:
    figures = figures_of(experiment, now)
    losing = [arm for arm in figures.arms if arm.loses_too_much and arm.arm.stopped_at is None]
    done: list[str] = []
    # An operator, or another run, may be quicker.
    with suppress(ExperimentError):
        # What was stopped before one fails stays in the list.
        done.extend(_stop_arm(experiment, arm, now, figures.to_dict()) for arm in losing)
        is_alone = not experiment.arms.filter(number__gt=0, stopped_at=None).exists()
        if is_alone or (experiment.ends_at is not None and now >= experiment.ends_at):
            note = _("No arm is left beside the control.") if is_alone else _("Its time was over.")
            stop_experiment(experiment=experiment, note=note)
            done.append(f"stopped {experiment.name}")
    return done


@transaction.atomic
def _stop_arm(experiment: Experiment, arm: ArmFigures, now: datetime, figures: dict[str, Any]) -> str:
    _locked(experiment, Experiment.State.RUNNING)
    if not ExperimentArm.objects.filter(pk=arm.arm.pk, stopped_at=None).update(stopped_at=now):
        raise ExperimentError(_("This arm was stopped already."))
    assert arm.loss is not None
    percent = 100 - experiment.max_loss
    note = _("The like rate is certainly below %(kept)d %% of the control's.") % {"kept": percent}
    _log(experiment, Action.ARM_STOPPED, None, arm=arm.arm, note=note, figures=figures)
    _change_token()
    lost = f"more than {experiment.max_loss} % of the {DECIDING}"
    return f"stopped arm {arm.arm.name} of {experiment.name}, which loses {lost}"


def _locked(experiment: Experiment, *states: Experiment.State) -> Experiment:
    """Return the row, locked until the transaction ends. Raise ``ExperimentError`` if it is in another state."""
    # All changes wait for the same row first, so that two of them never wait for each other.
    _site_row()
    locked = Experiment.objects.select_for_update().get(pk=experiment.pk)
    _check_state(locked, *states)
    return locked


def _check_state(experiment: Experiment, *states: Experiment.State) -> None:
    if experiment.state not in states:
        message = _("“%(name)s” is %(state)s, so that can't be done.")
        raise ExperimentError(message % {"name": experiment.name, "state": experiment.get_state_display()})


def _site_row() -> SiteServing:
    SiteServing.objects.get_or_create(slot=True, defaults={"token": uuid.uuid4().hex})
    return SiteServing.objects.select_for_update().get(slot=True)


def _change_token() -> None:
    """Let every process read anew what is served, and no cached page of before be shown."""
    token = uuid.uuid4().hex
    row = _site_row()
    row.token = token
    row.save(update_fields=["token"])
    transaction.on_commit(lambda: require_token(token))


def _log(
    experiment: Experiment,
    action: ExperimentEvent.Action,
    user: User | None,
    *,
    arm: ExperimentArm | None = None,
    note: str = "",
    figures: dict[str, Any] | None = None,
) -> None:
    ExperimentEvent.objects.create(
        experiment=experiment, action=action, user=user, arm=arm, note=note[:500], figures=figures or {}
    )


def _in_words(error: ValidationError) -> str:
    return " ".join(f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())
