"""The one object that holds every number of the engine that somebody chose rather than learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from recommender.engine.errors import InvalidDataError


def _signal() -> dict[str, float]:
    return {"like": 1.0, "dislike": -1.0, "completed": 0.5, "play": 0.25, "skip": -0.2}


def _half_life() -> dict[str, float]:
    return {"like": 730.0, "dislike": 730.0, "completed": 180.0, "play": 90.0, "skip": 30.0}


def _term_weights() -> dict[str, tuple[float, ...]]:
    return {
        "artist": (1.0, 1.0, 1.0, 1.0, 1.0),
        "album": (0.3, 0.3, 0.5, 0.6, 0.6),
        "genre": (1.0, 0.5, 0.3, 0.2, 0.2),
        "audio": (0.3, 0.3, 0.3, 0.3, 0.3),
        "mainstream": (0.3, 0.3, 0.3, 0.3, 0.3),
        "popularity": (0.5, 0.1, 0.1, 0.1, 0.1),
    }


def _similar_weights() -> dict[str, float]:
    return {"artist": 0.5, "album": 0.3, "genre": 1.0, "audio": 1.0, "mainstream": 0.1, "popularity": 0.1}


@dataclass(frozen=True)
class EngineConfig:
    """Every chosen weight of the engine; changing one means making a new object. Raises InvalidDataError.

    Feedback (read at request time)
    signal: weight of one observation by kind; a like is 1, negative pushes neighbours down.
    half_life_days: days after which an observation of that kind counts half.
    repeat_gain: each doubling of the count adds this share of the signal (log as in Hu, Koren & Volinsky 2008, eq. 6).
    max_row_weight: no song counts more than this many likes, however often it was played.
    stated_genre, stated_artist: weight of a stated favourite, in likes.

    Terms (read by `fit`)
    featured_artist: weight of an artist credited second or later; the first has 1.
    artist_size_exponent, artist_size_offset: an artist's affinity is divided by (tracks + offset) ** exponent, so that
    one like among three songs says more than one among three hundred.
    related_artist, related_artists_kept: weight of artists credited together with a liked one (times the cosine of
    their common credits), and how many of them are kept for each.
    genre_from_artist: share of a track's genre profile that comes from its artists' other tracks.
    genre_profile_kept: strongest genres kept per track.
    estimated_features: weight of audio features that were estimated, against measured ones.
    mainstream_bandwidth: points of popularity (0..100) within which two songs count as about equally well known.
    popularity_doubling: points of the catalogue's popularity that stand for twice the listeners.
    popularity_prior: bounds of the pseudo-count with which play counts are shrunk towards the catalogue's figure.
    region_shrinkage: listeners a region needs before its own counts weigh as much as the global ones.
    region_min_listeners: regions with fewer listeners use the global figure.

    Blend (priors until a fit learns better)
    amounts: amounts of feedback, in likes, at which term_weights are given; in between, linear in log(1 + amount).
    term_weights: weight of each term's standard score at those amounts. A term that is not listed is off.
    similar_weights: the same for "songs similar to this one".

    Page
    max_per_artist: songs of one credited artist on one page.
    rest_days_heard: a song played, completed or skipped within so many days is left out; rated ones always are.
    max_reasons, max_causes: terms named per song, and causes named per term.
    """

    signal: Mapping[str, float] = field(default_factory=_signal)
    half_life_days: Mapping[str, float] = field(default_factory=_half_life)
    repeat_gain: float = 0.25
    max_row_weight: float = 2.0
    stated_genre: float = 1.0
    stated_artist: float = 1.0

    featured_artist: float = 0.5
    artist_size_exponent: float = 0.5
    artist_size_offset: float = 1.0
    related_artist: float = 0.3
    related_artists_kept: int = 20
    genre_from_artist: float = 0.5
    genre_profile_kept: int = 8
    estimated_features: float = 0.5
    mainstream_bandwidth: float = 10.0
    popularity_doubling: float = 10.0
    popularity_prior: tuple[float, float] = (0.5, 50.0)
    region_shrinkage: float = 200.0
    region_min_listeners: int = 20

    amounts: tuple[float, ...] = (0.0, 1.0, 5.0, 20.0, 80.0)
    term_weights: Mapping[str, tuple[float, ...]] = field(default_factory=_term_weights)
    similar_weights: Mapping[str, float] = field(default_factory=_similar_weights)

    max_per_artist: int = 2
    rest_days_heard: float = 30.0
    max_reasons: int = 3
    max_causes: int = 3

    def __post_init__(self) -> None:
        kinds = set(_signal())
        for name in ("signal", "half_life_days"):
            if set(getattr(self, name)) != kinds:
                raise InvalidDataError(f"{name}: needs exactly the kinds {sorted(kinds)}")
        if any(days <= 0 for days in self.half_life_days.values()):
            raise InvalidDataError("half_life_days: must be positive")
        if list(self.amounts) != sorted(set(self.amounts)) or self.amounts[0] != 0.0:
            raise InvalidDataError("amounts: must start with 0 and increase")
        for name, weights in self.term_weights.items():
            if len(weights) != len(self.amounts):
                raise InvalidDataError(f"term_weights[{name!r}]: needs {len(self.amounts)} values, has {len(weights)}")
        if self.max_per_artist < 1:
            raise InvalidDataError("max_per_artist: must be at least 1")

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`, also after a round trip through JSON. Raises InvalidDataError on unknown names."""
        unknown = set(values) - {f.name for f in fields(cls)}
        if unknown:
            raise InvalidDataError(f"unknown configuration: {', '.join(sorted(unknown))}")
        plain: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        if "term_weights" in plain:
            plain["term_weights"] = {name: tuple(weights) for name, weights in plain["term_weights"].items()}
        return cls(**plain)
