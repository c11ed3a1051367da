"""A listener's taste as the engine estimates it: the same weights and profiles that the recommendations use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from accounts.models import User
from catalog.features import FEATURES
from catalog.models import Artist, Genre
from feedback.preferences.services import LEVELS
from feedback.taste import ListenerPreferences, preferences_of
from recommender.adapters.feedback import load_feedback
from recommender.adapters.loaded import LoadedModel
from recommender.engine import (
    Feedback,
    FloatArray,
    IdArray,
    IntArray,
    ListenerProfile,
    Model,
    as_float32,
)
from recommender.lifecycle.versions import active_model
from recommender.pages.taste.words import sound_words

LINES_SHOWN = 10
AVOIDED_SHOWN = 4
RANGED = ("energy", "danceability", "valence", "acousticness", "instrumentalness", "speechiness", "tempo", "loudness")
# Number of songs from which the catalogue's usual ranges are estimated.
_SAMPLE = 5000
STEPS = 8
MOVING_GENRES = 4
# With a shorter history no change over time is shown.
_LEAST_DAYS = 7.0


@dataclass(frozen=True)
class TasteLine:
    """An artist or genre; ``weight``: relative to the strongest one, -1..1; ``level``: the listener's adjustment."""

    kind: str
    id: int
    name: str
    url: str
    weight: float
    level: str

    @property
    def percent(self) -> int:
        """Return the length of its bar, 0 to 100."""
        return round(100 * min(abs(self.weight), 1.0))


@dataclass(frozen=True)
class SoundRange:
    """The 10 to 90 % range of one feature over the listener's songs and over the catalogue, in percent of the axis."""

    name: str
    label: Promise
    low: float
    middle: float
    high: float
    usual_low: float
    usual_high: float
    text: str
    level: str

    @property
    def width(self) -> float:
        """Return the length of the listener's range, at least 1."""
        return max(round(self.high - self.low, 1), 1.0)

    @property
    def usual_width(self) -> float:
        """Return the length of the catalogue's range, at least 1."""
        return max(round(self.usual_high - self.usual_low, 1), 1.0)


@dataclass(frozen=True)
class Moved:
    """A genre's share of the taste over time, oldest first, 0..1."""

    name: str
    shares: list[float]


@dataclass(frozen=True)
class Taste:
    """The whole profile; ``days``: age of each step of ``moved``, oldest first; ``amount``: evidence, in likes."""

    artists: list[TasteLine]
    genres: list[TasteLine]
    sound: list[SoundRange]
    words: list[str]
    moved: list[Moved]
    days: list[float]
    amount: float


def taste_of(user: User) -> Taste | None:
    """Return the taste of ``user`` from the feedback as it is now, or ``None`` before the first training."""
    loaded = active_model()
    if loaded is None:
        return None
    feedback = load_feedback(user, loaded)
    # Without the listener's adjustments, which are shown beside each line.
    learned = loaded.model.listener(feedback).without_adjustments()
    preferences = preferences_of(user)
    sound = _sound(learned, loaded.model, preferences)
    days = _steps(feedback)
    return Taste(
        artists=_artists(learned, loaded, preferences),
        genres=_genres(learned, loaded, preferences),
        sound=sound,
        words=sound_words({line.name: (line.middle, line.usual_low, line.usual_high) for line in sound}),
        moved=_movement(feedback, loaded, days),
        days=days,
        amount=learned.evidence,
    )


def level_of(factor: float) -> str:
    """Return the name of the level whose factor is nearest to ``factor``."""
    return min(LEVELS, key=lambda level: abs(LEVELS[level] - factor))


def _artists(listener: ListenerProfile, loaded: LoadedModel, preferences: ListenerPreferences) -> list[TasteLine]:
    indices, affinity = loaded.model.artist_affinity(listener)
    ids = loaded.model.catalogue.artist_ids[indices]
    weights = _leading(ids, affinity, preferences.artist_factors)
    artists = Artist.objects.in_bulk(list(weights))
    return [
        TasteLine("artist", pk, artist.name, artist.get_absolute_url(), weight, _level(preferences.artist_factors, pk))
        for pk, weight in weights.items()
        if (artist := artists.get(pk)) is not None
    ]


def _genres(listener: ListenerProfile, loaded: LoadedModel, preferences: ListenerPreferences) -> list[TasteLine]:
    profile = loaded.model.genre_profile(listener)
    indices = np.flatnonzero(profile)
    weights = _leading(loaded.model.catalogue.genre_ids[indices], profile[indices], preferences.genre_factors)
    genres = Genre.objects.in_bulk(list(weights))
    return [
        TasteLine("genre", pk, genre.label, genre.get_absolute_url(), weight, _level(preferences.genre_factors, pk))
        for pk, weight in weights.items()
        if (genre := genres.get(pk)) is not None
    ]


def _level(factors: Mapping[int, float], pk: int) -> str:
    return level_of(factors.get(pk, 1.0))


def _leading(ids: IdArray, values: FloatArray, adjusted: Mapping[int, float]) -> dict[int, float]:
    """Return relative weights by ID: the largest positive ones, then adjusted lines, then the most negative ones."""
    by_id = {int(pk): float(value) for pk, value in zip(ids, values, strict=True)}
    liked = sorted((pk for pk in by_id if by_id[pk] > 0), key=lambda pk: (-by_id[pk], pk))[:LINES_SHOWN]
    avoided = sorted((pk for pk in by_id if by_id[pk] < 0), key=lambda pk: (by_id[pk], pk))[:AVOIDED_SHOWN]
    more = [pk for pk in adjusted if pk not in liked and pk not in avoided]
    largest = max((abs(by_id[pk]) for pk in by_id), default=0.0) or 1.0
    return {pk: by_id.get(pk, 0.0) / largest for pk in (*liked, *more, *avoided)}


def _sound(listener: ListenerProfile, model: Model, preferences: ListenerPreferences) -> list[SoundRange]:
    catalogue = model.catalogue
    liked = listener.weights > 0
    rows, weights = listener.rows[liked], listener.weights[liked]
    sample = catalogue.features[:: max(catalogue.n_tracks // _SAMPLE, 1)]
    ranges = []
    for name in RANGED:
        if name not in catalogue.feature_columns:
            continue
        column = catalogue.feature_columns.index(name)
        mine, known = catalogue.features[rows, column], sample[:, column]
        is_known = ~np.isnan(mine)
        known = known[~np.isnan(known)]
        if is_known.sum() < 3 or len(known) < 10:
            continue
        level = level_of(preferences.feature_factors.get(name, 1.0))
        ranges.append(_range(name, _quantiles(mine[is_known], weights[is_known]), known, level))
    return ranges


def _quantiles(values: FloatArray, weights: FloatArray) -> list[float]:
    """Return the weighted 10, 50 and 90 % quantiles of ``values``."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) / weights.sum()
    positions = np.minimum(np.searchsorted(reached, [0.1, 0.5, 0.9]), len(values) - 1)
    return [float(value) for value in values[order][positions]]


def _range(name: str, mine: Sequence[float], known: FloatArray, level: str) -> SoundRange:
    spec = FEATURES[name]
    usual_low, usual_high, first, last = np.quantile(known, [0.1, 0.9, 0.01, 0.99]).tolist()
    is_share = (spec.low, spec.high) == (0.0, 1.0)
    left, right = (0.0, 1.0) if is_share else (min(first, mine[0]), max(last, mine[2]))

    def percent(value: float) -> float:
        return round(100 * min(max((value - left) / ((right - left) or 1.0), 0.0), 1.0), 1)

    numbers = [100 * value for value in mine] if is_share else list(mine)
    unit = "%" if is_share else spec.unit
    text = _("%(low).0f to %(high).0f %(unit)s") % {"low": numbers[0], "high": numbers[2], "unit": unit}
    low, middle, high = (percent(value) for value in mine)
    return SoundRange(name, spec.label, low, middle, high, percent(usual_low), percent(usual_high), text, level)


def _steps(feedback: Feedback) -> list[float]:
    """Return the ages of the steps in days, oldest first and 0 last; empty if the history is too short."""
    oldest = float(feedback.age_days.max(initial=0.0))
    if oldest < _LEAST_DAYS:
        return []
    return [float(days) for days in np.linspace(oldest, 0.0, STEPS + 1)[1:]]


def _movement(feedback: Feedback, loaded: LoadedModel, days: Sequence[float]) -> list[Moved]:
    """Return the shares of the leading genres at each step."""
    if not days:
        return []
    shares = np.array([_shares_at(feedback, loaded.model, ago) for ago in days], dtype=np.float32)
    # A genre that led earlier counts as well: its decline is part of the change.
    leading = np.argsort(-(shares[-1] + shares.max(axis=0) / 2), kind="stable")[:MOVING_GENRES]
    leading = leading[shares[:, leading].max(axis=0) > 0]
    ids = loaded.model.catalogue.genre_ids[leading]
    names = Genre.objects.in_bulk([int(pk) for pk in ids])
    return [
        Moved(names[int(pk)].label, [round(float(value), 3) for value in shares[:, index]])
        for pk, index in zip(ids, leading, strict=True)
        if int(pk) in names
    ]


def _shares_at(feedback: Feedback, model: Model, days_ago: float) -> FloatArray:
    """Return each genre's share of the taste ``days_ago``, float32[genres], from earlier feedback; sums to 1 or 0."""
    is_old_enough = feedback.age_days >= days_ago
    none: IntArray = np.empty(0, dtype=np.int32)
    then = replace(
        feedback,
        rows=feedback.rows[is_old_enough],
        kind=feedback.kind[is_old_enough],
        count=feedback.count[is_old_enough],
        age_days=np.maximum(feedback.age_days[is_old_enough] - np.float32(days_ago), 0.0).astype(np.float32),
        # Stated favourites have no age, so they are left out.
        genres=none,
        artists=none,
    )
    profile = np.maximum(
        model.genre_profile(ListenerProfile.from_feedback(then, model.config.feedback).without_adjustments()), 0.0
    )
    total = float(profile.sum())
    return as_float32(profile / total) if total else as_float32(profile)
