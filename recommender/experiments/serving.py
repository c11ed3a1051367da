"""How a listener is served: by the site's setting, or by the arm of the experiment that they take part in.

What runs is kept in the process's memory. The query that finds the active model brings the token of what is true now,
and only another token makes the process read again, so an experiment costs a page no query.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import cast

from django.utils import timezone

from accounts.models import User
from recommender.adapters.loaded import LoadedModel
from recommender.engine import SHELVES, ShelfName
from recommender.experiments.settings import AS_DELIVERED, ArmSetting, adjusted, key_of, stored_setting
from recommender.lifecycle.versions import active_model_and_token, keep_loaded, version_model, why_unusable
from recommender.models import Experiment, ExperimentArm, ExperimentBucket, ModelVersion, SiteServing

BUCKETS = 100
DEFAULT_DIAL = cast(float, User._meta.get_field("adventure").default)


@dataclass(frozen=True, eq=False)
class RunningArm:
    """An arm as it is served: its id (``None``: not counted), its setting over the site's, and its version."""

    pk: int | None
    setting: ArmSetting
    version: ModelVersion | None


@dataclass(frozen=True, eq=False)
class UnusableArm:
    """An arm that this machine can't serve, and why: its version's file is missing, damaged or of another format."""

    arm: ExperimentArm
    version: ModelVersion
    why: str


@dataclass(frozen=True, eq=False)
class RunningExperiment:
    """An experiment as it is served: what its arms do, in order; stopped ones do as the control."""

    salt: str
    ends_at: datetime
    arms: Sequence[RunningArm]


@dataclass(frozen=True, eq=False)
class ServingState:
    """What is true for the whole site while ``token`` is: its own setting, and who takes part in what."""

    token: str = ""
    site: ArmSetting = field(default_factory=ArmSetting)
    by_bucket: Mapping[int, RunningExperiment] = field(default_factory=dict)

    @property
    def arms(self) -> list[RunningArm]:
        """Return the arms of all experiments that run, those of each once for every bucket."""
        return [arm for experiment in self.by_bucket.values() for arm in experiment.arms]


@dataclass(frozen=True, eq=False)
class Served:
    """What makes a listener's page: the model, the dial, the order of the shelves; and the arm it counts for.

    ``token``: another one if anything was changed since; pages of different tokens are not mixed.
    """

    loaded: LoadedModel
    adventure: float
    shelves: tuple[ShelfName, ...]
    arm_id: int | None
    token: str


def serving_for(user: User) -> Served | None:
    """Return how ``user`` is served now, or ``None`` before the first retrain. One query, as for the model alone."""
    active, token = active_model_and_token()
    if active is None:
        return None
    state = _current(token)
    arm, loaded = _served_arm(user, state, active) or (RunningArm(None, state.site, None), active)
    return Served(
        loaded=_adjusted(loaded, arm.setting.overrides),
        adventure=dial_of(user, arm.setting),
        shelves=_in_order(arm.setting.shelves),
        arm_id=arm.pk,
        token=token,
    )


def site_serving() -> tuple[LoadedModel, ArmSetting] | None:
    """Return the model and the setting of what is made for no experiment; ``None`` before the first retrain."""
    active, token = active_model_and_token()
    if active is None:
        return None
    setting = _current(token).site
    return _adjusted(active, setting.overrides), setting


def experiment_of(user: User, state: ServingState, now: datetime) -> RunningExperiment | None:
    """Return a listener's experiment; ``None`` for operators, who would judge their own work, and for the others."""
    experiment = None if user.is_staff else state.by_bucket.get(bucket_of(user.pk))
    return None if experiment is None or now >= experiment.ends_at else experiment


def _served_arm(user: User, state: ServingState, active: LoadedModel) -> tuple[RunningArm, LoadedModel] | None:
    """Return a listener's arm and its model; ``None`` for who takes part in nothing, and until all arms can serve."""
    experiment = experiment_of(user, state, timezone.now())
    if experiment is None:
        return None
    models = []
    for arm in experiment.arms:
        # One after the other, so that a new process doesn't read all versions at once.
        loaded = active if arm.version is None else version_model(arm.version, active)
        if loaded is None:
            # Counted now, the arms whose models are here would have the first pages to themselves.
            return None
        models.append(loaded)
    number = arm_number(user.pk, experiment.salt, len(experiment.arms))
    return experiment.arms[number], models[number]


def unusable_arms(experiment: Experiment) -> list[UnusableArm]:
    """Return the arms of a draft or a running experiment whose version this machine can't use; one query."""
    if experiment.state not in (Experiment.State.DRAFT, Experiment.State.RUNNING):
        return []
    # A stopped arm is served as the control.
    arms = experiment.arms.filter(stopped_at=None).select_related("model_version", "pinned_version")
    versions = [(arm, arm.model_version or arm.pinned_version) for arm in arms]
    checked = [UnusableArm(arm, version, why_unusable(version)) for arm, version in versions if version is not None]
    return [arm for arm in checked if arm.why]


def bucket_of(user_id: int) -> int:
    """Return the percent of the listeners, 0 to 99, that a listener belongs to: the same in all experiments."""
    return _hashed(f"bucket:{user_id}", BUCKETS)


def arm_number(user_id: int, salt: str, n_arms: int) -> int:
    """Return the number of a listener's arm: the same on all devices, on all days and for all processes."""
    return _hashed(f"{salt}:{user_id}", n_arms)


def dial_of(user: User, setting: ArmSetting) -> float:
    """Return the listener's own dial, or the setting's where they left theirs as it was."""
    return setting.dial if setting.dial is not None and user.adventure == DEFAULT_DIAL else user.adventure


def setting_of(arm: ExperimentArm) -> ArmSetting:
    """Return what an arm changes, as it was created, without what this release does not allow."""
    label = f"arm {arm.name!r} of experiment {arm.experiment_id}"
    return stored_setting(arm.model_version_id, arm.dial, arm.overrides, arm.shelves, label=label)


def site_setting() -> ArmSetting:
    """Return the site's own setting, from adopted experiments; one query."""
    return _site_setting(SiteServing.objects.first())


def _site_setting(row: SiteServing | None) -> ArmSetting:
    if row is None:
        return AS_DELIVERED
    return stored_setting(None, row.dial, row.overrides, row.shelves, label="the site's setting")


def _hashed(text: str, below: int) -> int:
    # Of 64 bits: what the remainder prefers is less than 1 in 10**16.
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") % below


_state = ServingState()
_adjusted_models: dict[tuple[str, str], tuple[LoadedModel, LoadedModel]] = {}


def _current(token: str) -> ServingState:
    global _state  # noqa: PLW0603
    if not token:
        # There has never been an experiment.
        return ServingState()
    state = _state
    if state.token != token:
        state = _state = _read(token)
        _adjusted_models.clear()
        keep_loaded({arm.version.directory for arm in state.arms if arm.version is not None})
    return state


def _read(token: str) -> ServingState:
    """Return what the database says; four queries."""
    row = SiteServing.objects.first()
    site = _site_setting(row)
    running = Experiment.objects.filter(state=Experiment.State.RUNNING).prefetch_related(
        "arms__model_version", "arms__pinned_version"
    )
    experiments = {experiment.pk: _running(experiment, site) for experiment in running}
    buckets = ExperimentBucket.objects.filter(experiment__in=experiments).values_list("number", "experiment_id")
    return ServingState(token, site, {number: experiments[experiment_id] for number, experiment_id in buckets})


def _running(experiment: Experiment, site: ArmSetting) -> RunningExperiment:
    rows = list(experiment.arms.all())
    arms = [RunningArm(arm.pk, setting_of(arm).over(site), arm.model_version or arm.pinned_version) for arm in rows]
    served = [
        replace(arms[0], pk=None) if row.stopped_at is not None else arm for row, arm in zip(rows, arms, strict=True)
    ]
    assert experiment.ends_at is not None
    return RunningExperiment(experiment.salt, experiment.ends_at, served)


def _adjusted(loaded: LoadedModel, overrides: Mapping[str, float]) -> LoadedModel:
    """Return the model under an arm's overrides: the same object each time, so that what it remembers stays."""
    if not overrides:
        return loaded
    key = (loaded.version.directory, key_of(overrides))
    base, changed = _adjusted_models.get(key, (None, None))
    if base is not loaded or changed is None:
        changed = replace(loaded, model=adjusted(loaded.model, overrides))
        _adjusted_models[key] = (loaded, changed)
    return changed


def _in_order(shelves: tuple[str, ...]) -> tuple[ShelfName, ...]:
    rest = tuple(name for name in SHELVES if name not in shelves)
    return cast(tuple[ShelfName, ...], shelves) + rest
