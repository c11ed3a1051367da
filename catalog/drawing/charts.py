"""A song's audio features as figures for the page: lines of a bar chart, and values in plain words."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.features import FEATURES

CHART_WIDTH = 340
LINE_HEIGHT = 28
_BAR_LEFT = 132
_BAR_WIDTH = 160
_BARS = ("danceability", "energy", "valence", "acousticness", "instrumentalness", "liveness", "speechiness")
_MEANINGS: Mapping[str, Promise] = {
    "danceability": gettext_lazy("how easy it is to dance to"),
    "energy": gettext_lazy("how intense and lively it is"),
    "valence": gettext_lazy("how cheerful it sounds"),
    "acousticness": gettext_lazy("how likely it is to be acoustic"),
    "instrumentalness": gettext_lazy("how likely it is to have no vocals"),
    "liveness": gettext_lazy("how likely it is to be a live recording"),
    "speechiness": gettext_lazy("how much of it is spoken word"),
}
_NOTES = ("C", "C♯/D♭", "D", "D♯/E♭", "E", "F", "F♯/G♭", "G", "G♯/A♭", "A", "A♯/B♭", "B")


@dataclass(frozen=True)
class Bar:
    """One line of the chart, in the chart's own units; ``value`` is ``None`` where it is unknown."""

    label: Promise
    meaning: Promise
    value: int | None
    y: int
    width: float
    typical_x: float = 0.0
    typical_width: float = 0.0
    typical: str = ""


@dataclass(frozen=True)
class Fact:
    """A feature with a unit (not a share): its value, or ``None`` where it is unknown."""

    label: Promise | str
    value: str | None


@dataclass(frozen=True)
class FeatureChart:
    """The audio features as the song page shows them; ``height`` is in the chart's units."""

    bars: list[Bar]
    facts: list[Fact]
    height: int

    @property
    def has_typical(self) -> bool:
        """Whether any bar has a usual range below it."""
        return any(bar.typical and bar.value is not None for bar in self.bars)


def feature_chart(features: Mapping[str, float], typical: Mapping[str, tuple[float, float]]) -> FeatureChart:
    """Return the figures for ``features``; ``typical`` gives a usual range for each feature of the 0..1 kind."""
    bars = [_bar(name, number, features.get(name), typical.get(name)) for number, name in enumerate(_BARS)]
    return FeatureChart(bars, _facts(features), len(bars) * LINE_HEIGHT)


def _bar(name: str, number: int, value: float | None, typical: tuple[float, float] | None) -> Bar:
    low, high = typical or (0.0, 0.0)
    return Bar(
        label=FEATURES[name].label,
        meaning=_MEANINGS[name],
        value=None if value is None else round(100 * value),
        y=number * LINE_HEIGHT,
        width=0.0 if value is None else round(max(_BAR_WIDTH * value, 1.5), 1),
        typical_x=round(_BAR_LEFT + _BAR_WIDTH * low, 1),
        typical_width=round(max(_BAR_WIDTH * (high - low), 2.0), 1) if typical else 0.0,
        typical=f"{100 * low:.0f}\u2013{100 * high:.0f} %" if typical else "",
    )


def _facts(features: Mapping[str, float]) -> list[Fact]:
    tempo, loudness = features.get("tempo"), features.get("loudness")
    beats = features.get("time_signature")
    return [
        Fact(FEATURES["tempo"].label, None if tempo is None else _("%(tempo).0f BPM") % {"tempo": tempo}),
        Fact(FEATURES["key"].label, key_name(features)),
        Fact(
            FEATURES["loudness"].label,
            None if loudness is None else f"{loudness:.1f} dB".replace("-", "\u2212"),
        ),
        Fact(
            FEATURES["time_signature"].label,
            None if beats is None else _("%(beats)d beats per bar") % {"beats": beats},
        ),
    ]


def key_name(features: Mapping[str, float]) -> str | None:
    """Return the key as musicians write it ("A minor"), without the mode if that is unknown."""
    key, mode = features.get("key"), features.get("mode")
    if key is None:
        return None
    if mode is None:
        return _NOTES[int(key)]
    pattern = _("%(note)s major") if mode else _("%(note)s minor")
    return pattern % {"note": _NOTES[int(key)]}
