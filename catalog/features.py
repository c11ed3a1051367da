"""The schema of a song's audio features: names, units, ranges, and placeholders for "unknown".

The names and meanings are those of Spotify's audio features; any source that measures the same may fill them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _


class FeatureError(ValueError):
    """A value does not fit the schema; the message names the feature."""


@dataclass(frozen=True)
class FeatureSpec:
    """One audio feature.

    ``low`` and ``high`` are inclusive, in ``unit``. A value equal to one of ``unknown`` was never measured.
    """

    name: str
    label: Promise
    unit: str
    low: float
    high: float
    is_integer: bool = False
    unknown: tuple[float, ...] = ()


FEATURES: Mapping[str, FeatureSpec] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            FeatureSpec("danceability", _("Danceability"), "0..1", 0.0, 1.0),
            FeatureSpec("energy", _("Energy"), "0..1", 0.0, 1.0),
            FeatureSpec(
                "key", pgettext_lazy("music", "Key"), "pitch class, C = 0", 0, 11, is_integer=True, unknown=(-1,)
            ),
            FeatureSpec("loudness", _("Loudness"), "dB", -60.0, 10.0),
            FeatureSpec("mode", _("Mode"), "0 minor, 1 major", 0, 1, is_integer=True, unknown=(-1,)),
            FeatureSpec("speechiness", _("Speechiness"), "0..1", 0.0, 1.0),
            FeatureSpec("acousticness", _("Acousticness"), "0..1", 0.0, 1.0),
            FeatureSpec("instrumentalness", _("Instrumentalness"), "0..1", 0.0, 1.0),
            FeatureSpec("liveness", _("Liveness"), "0..1", 0.0, 1.0),
            FeatureSpec("valence", _("Valence"), "0..1", 0.0, 1.0),
            FeatureSpec("tempo", _("Tempo"), "BPM", 20.0, 300.0, unknown=(0.0,)),
            FeatureSpec("time_signature", _("Time signature"), "beats per bar", 1, 12, is_integer=True, unknown=(0,)),
        )
    }
)
FEATURE_NAMES: tuple[str, ...] = tuple(FEATURES)
# Features that filters use; each has a column of its own beside the JSON.
SOUND_COLUMNS: tuple[str, ...] = (
    "tempo", "energy", "valence", "danceability", "acousticness", "instrumentalness",
)  # fmt: skip


def check_feature(name: str, value: Any) -> float | int | None:
    """Return ``value`` as a number of the schema, or ``None`` where it stands for "unknown".

    Raises:
        FeatureError: no such feature, not a finite number, or out of range.
    """
    spec = FEATURES.get(name)
    if spec is None:
        text = gettext("%(name)s: no such feature. Use one of %(known)s.")
        raise FeatureError(text % {"name": name, "known": ", ".join(FEATURE_NAMES)})
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise FeatureError(gettext("%(field)s: %(text)s is not a number") % {"field": name, "text": repr(value)})
    if value in spec.unknown:
        return None
    if not spec.low <= value <= spec.high:
        text = gettext("%(field)s: %(number)s is not between %(low)s and %(high)s")
        limits = {"low": f"{spec.low:g}", "high": f"{spec.high:g}"}
        raise FeatureError(text % {"field": name, "number": f"{value:g}", **limits})
    if spec.is_integer and value != int(value):
        text = gettext("%(field)s: %(number)s is not a whole number")
        raise FeatureError(text % {"field": name, "number": f"{value:g}"})
    return int(value) if spec.is_integer else float(value)


def check_features(features: Any) -> dict[str, float | int]:
    """Return ``features`` checked by :func:`check_feature`, unknown values left out.

    Raises:
        FeatureError: not a mapping, or a value does not fit.
    """
    if not isinstance(features, Mapping):
        raise FeatureError(gettext("features: must map names to numbers"))
    checked = {name: check_feature(name, value) for name, value in features.items()}
    return {name: value for name, value in checked.items() if value is not None}
