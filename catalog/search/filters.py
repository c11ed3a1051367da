"""Filters of song lists: a genre, years, and ranges of audio features."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from catalog.models import Genre, Track, TrackQuerySet

_GenreLink = Track.genres.through


@dataclass(frozen=True)
class Slider:
    """A feature with the ends of its sliders, in ``unit``; ``scale`` of them are one of the column's own.

    At its end a slider excludes nothing, not even songs with unknown values.
    """

    name: str
    label: Promise
    low_word: Promise
    high_word: Promise
    low: int = 0
    high: int = 100
    unit: str = "%"
    scale: int = 100


SLIDERS: Mapping[str, Slider] = {
    slider.name: slider
    for slider in (
        Slider("tempo", _("Tempo"), _("slow"), _("fast"), 40, 220, "BPM", 1),
        Slider("energy", _("Energy"), _("calm"), _("intense")),
        Slider("valence", _("Mood"), _("sad"), _("cheerful")),
        Slider("danceability", _("Danceability"), _("for listening"), _("for dancing")),
        Slider("acousticness", _("Acoustic"), _("electric"), _("acoustic")),
        Slider("instrumentalness", _("Vocals"), _("with vocals"), _("instrumental")),
    )
}
Range = tuple[int, int]


@dataclass(frozen=True)
class Mood:
    """A name for a few ranges at once."""

    label: Promise
    ranges: Mapping[str, Range]

    @property
    def query(self) -> str:
        """Return the ranges as the list's address has them."""
        return urlencode({f"{name}_{end}": value for name, ends in self.ranges.items() for end, value in _ends(ends)})


def _ends(ends: Range) -> list[tuple[str, int]]:
    return [("min", ends[0]), ("max", ends[1])]


MOODS: tuple[Mood, ...] = (
    Mood(_("Calm and acoustic"), {"energy": (0, 40), "acousticness": (60, 100)}),
    Mood(_("Party"), {"energy": (65, 100), "danceability": (70, 100), "valence": (50, 100)}),
    Mood(_("Focus"), {"energy": (0, 60), "instrumentalness": (70, 100)}),
    Mood(_("Cheerful"), {"valence": (75, 100)}),
    Mood(_("Melancholic"), {"valence": (0, 25), "energy": (0, 50)}),
    Mood(_("Running"), {"tempo": (150, 190), "energy": (70, 100)}),
)


@dataclass(frozen=True)
class SongFilter:
    """What was asked for; ``ranges`` by feature, in the sliders' units, those that leave something out."""

    genre: Genre | None = None
    year_from: int | None = None
    year_to: int | None = None
    ranges: Mapping[str, Range] = field(default_factory=dict)

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but a genre is asked for."""
        return bool(self.ranges) or self.year_from is not None or self.year_to is not None

    def applied(self, tracks: TrackQuerySet) -> TrackQuerySet:
        """Return those of ``tracks`` that match. Unknown values match no range."""
        conditions: dict[str, float] = {}
        if self.year_from is not None:
            conditions["release_year__gte"] = self.year_from
        if self.year_to is not None:
            conditions["release_year__lte"] = self.year_to
        for name, (low, high) in self.ranges.items():
            slider = SLIDERS[name]
            if low > slider.low:
                conditions[f"{name}__gte"] = low / slider.scale
            if high < slider.high:
                conditions[f"{name}__lte"] = high / slider.scale
        tracks = tracks.filter(**conditions)
        if self.genre is not None:
            tracks = tracks.filter(pk__in=_GenreLink.objects.filter(genre=self.genre).values("track_id"))
        return tracks
