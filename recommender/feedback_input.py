"""Listeners' feedback as the engine's arrays."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from accounts.models import User
from feedback.models import Rating
from feedback.taste import Feedback as Given
from feedback.taste import Steering, UncountedTrack, feedback_of, interactions, steering_of
from recommender.engine import Adjustments, Catalogue, EngineConfig, Feedback, FeedbackKind, Interactions
from recommender.engine.arrays import FloatArray, IntArray
from recommender.engine.data import NO_REGION
from recommender.engine.listener import signal_strength
from recommender.engine.page import allowed_rows
from recommender.versions import LoadedModel

SECONDS_PER_DAY = 86_400.0
MOMENT_SECONDS = 300.0


@dataclass(frozen=True, eq=False)
class Barred:
    """What must not be recommended now: rows of songs, artist and genre indices of the model's catalogue, int32."""

    rows: IntArray
    artists: IntArray
    genres: IntArray


@dataclass(frozen=True, eq=False)
class ListenerInput:
    """All that the engine is told of a listener."""

    feedback: Feedback
    barred: Barred


def load_listener(user: User, loaded: LoadedModel, now: datetime | None = None) -> ListenerInput:
    """Return what ``user`` did, said, blocked and adjusted, as indices of the model's catalogue; seven queries.

    Without ``now``, how long ago it was is told as of the last full five minutes: who opens a page twice and did
    nothing in between is the same listener to the model.
    """
    at = now.timestamp() if now else timezone.now().timestamp() // MOMENT_SECONDS * MOMENT_SECONDS
    given, steering = feedback_of(user), steering_of(user)
    feedback = _feedback(user, given, steering, loaded, at)
    return ListenerInput(feedback, _barred(given.uncounted, steering, loaded, at))


def unwanted_rows(user: User | None, loaded: LoadedModel) -> IntArray:
    """Return the rows that are not for ``user``: what they blocked, and explicit songs where they want none; int32.

    For lists that are about songs rather than about the listener. Two queries; none for visitors, who may see all.
    """
    if user is None:
        return np.empty(0, dtype=np.int32)
    catalogue = loaded.model.catalogue
    barred = _barred((), steering_of(user), loaded, 0.0)
    allowed = allowed_rows(
        catalogue,
        excluded=barred.rows,
        explicit_allowed=user.explicit_allowed,
        excluded_artists=barred.artists,
        excluded_genres=barred.genres,
    )
    return np.flatnonzero(catalogue.active & ~allowed).astype(np.int32)


def load_feedback(user: User, loaded: LoadedModel, now: datetime | None = None) -> Feedback:
    """Return what ``user`` did and said, as rows of the model's catalogue; seven queries.

    Songs, artists and genres that came after the model's fit are left out: it knows nothing of them.
    """
    return load_listener(user, loaded, now).feedback


def _feedback(user: User, given: Given, steering: Steering, loaded: LoadedModel, at: float) -> Feedback:
    catalogue = loaded.model.catalogue
    columns = np.concatenate([_rating_observations(given.rating_table), _play_observations(given.play_table)])
    rows = catalogue.rows_of(columns[:, 0].astype(np.int64))
    known = rows >= 0
    genres = catalogue.genres_of(np.array(given.genre_ids, dtype=np.int64))
    artists = catalogue.artists_of(np.array(given.artist_ids, dtype=np.int64))
    regions = loaded.regions
    return Feedback(
        rows=rows[known],
        kind=columns[known, 1].astype(np.int32),
        count=columns[known, 2].astype(np.float32),
        age_days=np.maximum(0.0, (at - columns[known, 3]) / SECONDS_PER_DAY).astype(np.float32),
        genres=genres[genres >= 0],
        artists=artists[artists >= 0],
        region=regions.index(user.region) if user.region in regions else NO_REGION,
        adjustments=_adjustments(steering, catalogue),
    )


def _adjustments(steering: Steering, catalogue: Catalogue) -> Adjustments:
    artists, artist_factors = _factors(steering.artist_factors, catalogue.artists_of)
    genres, genre_factors = _factors(steering.genre_factors, catalogue.genres_of)
    features = {name: value for name, value in steering.feature_factors.items() if name in catalogue.feature_columns}
    return Adjustments(artists, artist_factors, genres, genre_factors, features)


def _factors(
    factors: Mapping[int, float], indices_of: Callable[[NDArray[np.int64]], IntArray]
) -> tuple[IntArray, FloatArray]:
    indices = indices_of(np.fromiter(factors, dtype=np.int64))
    values = np.fromiter(factors.values(), dtype=np.float32)
    return indices[indices >= 0], values[indices >= 0]


def _barred(uncounted: Sequence[UncountedTrack], steering: Steering, loaded: LoadedModel, at: float) -> Barred:
    """Blocked songs, artists and genres; and, though they do not count, songs that were rated or heard lately."""
    catalogue = loaded.model.catalogue
    recent = at - loaded.model.config.rest_days_heard * SECONDS_PER_DAY
    known = [track.track_id for track in uncounted if track.is_rated or track.at > recent]
    rows = catalogue.rows_of(np.array([*steering.track_ids, *known], dtype=np.int64))
    artists = catalogue.artists_of(np.array(steering.artist_ids, dtype=np.int64))
    genres = catalogue.genres_of(np.array(steering.genre_ids, dtype=np.int64))
    return Barred(rows[rows >= 0], artists[artists >= 0], genres[genres >= 0])


@dataclass(frozen=True)
class AllFeedback:
    """What all listeners did; ``user_ids``: int64, who the listeners are; ``regions``: names by region code."""

    interactions: Interactions
    user_ids: NDArray[np.int64]
    regions: list[str]


def load_interactions(catalogue: Catalogue, config: EngineConfig) -> AllFeedback:
    """Return what all listeners did with the songs of ``catalogue``.

    A pair's weight is the sum of its signals (``config.signal``), undecayed: what many liked long ago is still liked
    together.
    """
    columns = _columns()
    row = catalogue.rows_of(columns["track"])
    known = row >= 0
    users, listener = np.unique(columns["user"][known], return_inverse=True)
    region, regions = _regions(users)
    done = Interactions(
        listener=listener.astype(np.int32), row=row[known], weight=_weights(columns, config)[known], region=region
    )
    return AllFeedback(done, users, regions)


def _rating_observations(table: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return one observation per rating: id, kind, count and time, float64[m, 4]."""
    track, value, at = table.T
    kind = np.where(value == Rating.Value.LIKE, FeedbackKind.LIKE, FeedbackKind.DISLIKE)
    return np.stack([track, kind, np.ones(len(table)), at], axis=1).astype(np.float64)


def _play_observations(table: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return one observation per song and outcome that occurred: id, kind, count and time, float64[m, 4]."""
    track, played, completed, skipped, last_at = table.astype(np.float64).T
    kinds = (FeedbackKind.COMPLETED, FeedbackKind.SKIP, FeedbackKind.PLAY)
    counts = (completed, skipped, played - completed - skipped)
    happened = [count > 0 for count in counts]
    return np.concatenate(
        [
            np.stack([track, np.full(len(track), float(kind)), count, last_at], axis=1)[some]
            for kind, count, some in zip(kinds, counts, happened, strict=True)
        ]
    )


def _columns() -> dict[str, NDArray[np.int64]]:
    names = ("user", "track", "rating", "plays", "completed", "skipped")
    # Six whole numbers a pair: the tuples themselves would take ten times the memory.
    flat = np.fromiter((int(value) for pair in interactions() for value in pair[:6]), dtype=np.int64)
    table = flat.reshape(-1, len(names))
    return {name: table[:, place] for place, name in enumerate(names)}


def _weights(columns: dict[str, NDArray[np.int64]], config: EngineConfig) -> FloatArray:
    counts = {
        FeedbackKind.LIKE: columns["rating"] == Rating.Value.LIKE,
        FeedbackKind.DISLIKE: columns["rating"] == Rating.Value.DISLIKE,
        FeedbackKind.COMPLETED: columns["completed"],
        FeedbackKind.SKIP: columns["skipped"],
        FeedbackKind.PLAY: columns["plays"] - columns["completed"] - columns["skipped"],
    }
    weight = np.zeros(len(columns["user"]))
    for kind, count in counts.items():
        happened = count > 0
        kinds = np.full(int(happened.sum()), kind, dtype=np.int32)
        weight[happened] += signal_strength(kinds, count[happened].astype(np.float32), config)
    # A dislike silences every other signal of its song, as it does for the listener's own page.
    weight[counts[FeedbackKind.DISLIKE]] = config.signal["dislike"]
    return np.clip(weight, -config.max_row_weight, config.max_row_weight).astype(np.float32)


def _regions(users: NDArray[np.int64]) -> tuple[IntArray, list[str]]:
    region_of = dict(User.objects.exclude(region="").values_list("pk", "region"))
    regions = sorted({region_of[int(user)] for user in users if int(user) in region_of})
    code = {region: number for number, region in enumerate(regions)}
    codes = (code.get(region_of.get(int(user), ""), NO_REGION) for user in users)
    return np.fromiter(codes, dtype=np.int32, count=len(users)), regions
