"""What an arm of an experiment may change, and how it is written: ``version=14 dial=0.5 page.diversity=0.3``."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from django.utils.translation import gettext as _

from recommender.engine import SHELVES

if TYPE_CHECKING:
    from recommender.engine import Model


logger = logging.getLogger(__name__)


class Limit(NamedTuple):
    """The range of a number of the engine's configuration, and whether it is a whole one."""

    low: float
    high: float
    is_whole: bool = False


OVERRIDES: Mapping[str, Limit] = {
    "page.max_per_artist": Limit(1, 10, is_whole=True),
    "page.diversity": Limit(0, 2),
    "page.skip_penalty": Limit(0, 2),
    "page.impression_limit": Limit(1, 20, is_whole=True),
    "page.cooldown_days": Limit(0, 90),
    "exploring.strength": Limit(0, 10),
    "exploring.exponent": Limit(0.1, 2),
    "exploring.item_share": Limit(0, 1),
}
"""Numbers that are read when a page is made. Those that a model is fitted with need a model version of their own."""


class SettingError(ValueError):
    """An arm's setting is not allowed; the message says what is."""


@dataclass(frozen=True)
class ArmSetting:
    """What an arm changes; empty parts are as on the rest of the site. Raise ``SettingError``.

    ``version``: id of a model version; ``dial`` (0..1): for listeners who left theirs where it was; ``shelves``: the
    order of the sections of "For you", those not named come after.
    """

    version: int | None = None
    dial: float | None = None
    overrides: Mapping[str, float] = field(default_factory=dict)
    shelves: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.dial is not None and not 0.0 <= self.dial <= 1.0:
            raise SettingError(_("dial: must be from 0 to 1, not %(value)s.") % {"value": self.dial})
        for name, value in self.overrides.items():
            _check_override(name, value)
        unknown = sorted(set(self.shelves) - set(SHELVES))
        if unknown or len(set(self.shelves)) < len(self.shelves):
            message = _("shelves: must be of %(shelves)s, each once, not %(value)s.")
            raise SettingError(message % {"shelves": ", ".join(SHELVES), "value": ",".join(self.shelves)})

    @property
    def text(self) -> str:
        """Return the setting as it is written; empty if nothing is changed."""
        parts = [] if self.version is None else [f"version={self.version}"]
        parts += [] if self.dial is None else [f"dial={self.dial:g}"]
        parts += [f"{name}={value:g}" for name, value in sorted(self.overrides.items())]
        parts += [f"shelves={','.join(self.shelves)}"] if self.shelves else []
        return " ".join(parts)

    def over(self, below: ArmSetting) -> ArmSetting:
        """Return this setting with what it leaves empty taken from `below`."""
        return ArmSetting(
            version=below.version if self.version is None else self.version,
            dial=below.dial if self.dial is None else self.dial,
            overrides={**below.overrides, **self.overrides},
            shelves=self.shelves or below.shelves,
        )


AS_DELIVERED = ArmSetting()
"""The setting of a site that has adopted nothing."""


def read_setting(text: str) -> ArmSetting:
    """Return the setting written as ``version=14 dial=0.5``. Raise ``SettingError``."""
    values: dict[str, str] = {}
    for part in text.split():
        name, sign, value = part.partition("=")
        if not sign or name in values:
            raise SettingError(_("%(part)s: must be written as NAME=VALUE, each name once.") % {"part": part})
        values[name] = value
    version, dial, shelves = (values.pop(name, None) for name in ("version", "dial", "shelves"))
    return ArmSetting(
        version=None if version is None else int(_number("version", version, is_whole=True)),
        dial=None if dial is None else _number("dial", dial),
        overrides={name: _number(name, value) for name, value in values.items()},
        shelves=() if shelves is None else tuple(shelves.split(",")),
    )


def stored_setting(
    version: int | None, dial: float | None, overrides: Mapping[str, Any], shelves: Sequence[str], *, label: str
) -> ArmSetting:
    """Return the setting that a row holds, maybe of another release; parts not allowed now are dropped and logged.

    ``label``: whose it is, in the log's words.
    """
    setting = ArmSetting(version=version)
    parts: list[dict[str, Any]] = [{"dial": dial}, {"shelves": tuple(shelves)}]
    parts += [{"overrides": {name: value}} for name, value in sorted(overrides.items())]
    for part in parts:
        try:
            setting = ArmSetting(**part).over(setting)
        except (SettingError, TypeError) as error:
            logger.warning("%s: left out what this release does not allow: %s", label, error)
    return setting


def adjusted(model: Model, overrides: Mapping[str, float]) -> Model:
    """Return the model with these numbers in its configuration, its arrays shared."""
    config = model.config
    for name, value in overrides.items():
        stage, leaf = name.split(".")
        number = int(value) if OVERRIDES[name].is_whole else float(value)
        config = replace(config, **{stage: replace(getattr(config, stage), **{leaf: number})})
    return replace(model, config=config) if overrides else model


def key_of(overrides: Mapping[str, Any]) -> str:
    """Return a text that is the same for the same overrides."""
    return json.dumps(overrides, sort_keys=True)


def _check_override(name: str, value: float) -> None:
    limit = OVERRIDES.get(name)
    if limit is None:
        message = _("%(name)s: can't be changed by an experiment. Allowed: version, dial, shelves, %(names)s.")
        raise SettingError(message % {"name": name, "names": ", ".join(OVERRIDES)})
    if limit.is_whole and value != int(value):
        raise SettingError(_("%(name)s: must be a whole number, not %(value)g.") % {"name": name, "value": value})
    if not limit.low <= value <= limit.high:
        raise SettingError(
            _("%(name)s: must be from %(low)g to %(high)g, not %(value)g.")
            % {"name": name, "low": limit.low, "high": limit.high, "value": value}
        )


def _number(name: str, text: str, *, is_whole: bool = False) -> float:
    try:
        value = float(text) if len(text) < 19 else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or (is_whole and (value != int(value) or value < 0)):
        raise SettingError(_("%(name)s: must be a number, not %(text)s.") % {"name": name, "text": text})
    return value
