"""One listener's feedback as the engine's arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from accounts.models import User
from catalog.identity.compilers import COMPILER_KEYS
from catalog.models import Track, TrackArtist
from feedback.plays.models import Play
from feedback.ratings.models import Rating
from feedback.taste import ListenerHistory, ListenerPreferences, UncountedTrack, feedback_of, preferences_of
from recommender.adapters.loaded import LoadedModel
from recommender.engine import (
    NO_REGION,
    Adjustments,
    AllowedTracks,
    Catalogue,
    Feedback,
    FeedbackKind,
    FloatArray,
    IntArray,
)

SECONDS_PER_DAY = 86_400.0
MOMENT_SECONDS = 300.0


@dataclass(frozen=True, eq=False)
class Exclusions:
    """What must not be recommended now: rows of songs, artist and genre indices of the model's catalogue, int32.

    only: rows besides which nothing may be recommended, if the listener wants only songs with a recording or new ones.
    """

    rows: IntArray
    artists: IntArray
    genres: IntArray
    only: IntArray | None = None


@dataclass(frozen=True, eq=False)
class Known:
    """Recordings that the listener has rated or played, increasing, int32[r], and what they did with each, [r].

    heard_at, liked_at: float64, when it was last heard and when it was liked, in seconds since 1970; 0 where it was
    not, or where what was done does not count. plays: int64, how often it was played and not skipped.
    """

    recordings: IntArray
    heard_at: NDArray[np.float64]
    liked_at: NDArray[np.float64]
    plays: NDArray[np.int64]

    def of(self, recording: int) -> KnownSong | None:
        """Return what was done with a recording, ``None`` where the listener does not know it."""
        position = int(np.searchsorted(self.recordings, recording))
        if position == len(self.recordings) or int(self.recordings[position]) != recording:
            return None
        columns = (self.heard_at, self.liked_at, self.plays)
        return KnownSong(*(int(column[position]) for column in columns))


class KnownSong(NamedTuple):
    """What the listener did with a song, as in ``Known``."""

    heard_at: int
    liked_at: int
    plays: int


@dataclass(frozen=True, eq=False)
class ListenerInput:
    """The engine's input for one listener, and the songs they know."""

    feedback: Feedback
    exclusions: Exclusions
    known: Known


def load_listener(user: User, loaded: LoadedModel, now: datetime | None = None) -> ListenerInput:
    """Return what ``user`` did, said, blocked and adjusted, as indices of the model's catalogue; seven queries.

    Without ``now``, ages are measured from the last full five minutes, so that reopening a page without doing anything
    gives the model the same input.
    """
    at = now.timestamp() if now else timezone.now().timestamp() // MOMENT_SECONDS * MOMENT_SECONDS
    history, preferences = feedback_of(user), preferences_of(user)
    feedback = feedback_arrays(user, history, preferences, loaded, at)
    recent = at - loaded.model.config.page.rest_days_heard * SECONDS_PER_DAY
    uncounted = [track.track_id for track in history.uncounted if track.is_rated or track.at > recent]
    # They do not count towards the taste, but the listener still knows them.
    exclusions = exclusions_of(preferences, [*preferences.track_ids, *uncounted], loaded.model.catalogue)
    exclusions = replace(exclusions, only=allowed_rows(user, loaded.model.catalogue))
    return ListenerInput(feedback, exclusions, _known(history.uncounted, feedback, loaded.model.catalogue, at))


def blocked(user: User | None, catalogue: Catalogue) -> Exclusions:
    """Return what ``user`` blocked. Two queries; none for visitors, who block nothing."""
    preferences = ListenerPreferences() if user is None else preferences_of(user)
    return exclusions_of(preferences, preferences.track_ids, catalogue)


def allowed_rows(user: User | None, catalogue: Catalogue) -> IntArray | None:
    """Return the rows of songs with a recording, or of songs new to ``user``, if they want only those; else ``None``.

    Sorted, int32. At most three queries, none for those who want all songs.
    """
    if user is None or not (user.recordings_only or user.unheard_only):
        return None
    if user.recordings_only:
        ids = Track.objects.filter(has_file=True).order_by().values_list("pk", flat=True)
        rows = catalogue.rows_of(np.fromiter(ids, dtype=np.int64))
        rows = np.sort(rows[rows >= 0])
    else:
        rows = np.arange(catalogue.n_tracks, dtype=np.int32)
    if not user.unheard_only:
        return rows
    known = np.isin(catalogue.recording[rows], _recordings_known_to(user, catalogue))
    return rows[~known]


def _recordings_known_to(user: User, catalogue: Catalogue) -> IntArray:
    """Return the recordings that ``user`` played or rated, whether that counts towards their taste or not."""
    tracks = {
        *Play.objects.filter(user=user).order_by().values_list("track_id", flat=True).distinct(),
        *Rating.objects.filter(user=user).values_list("track_id", flat=True),
    }
    rows = catalogue.rows_of(np.fromiter(tracks, dtype=np.int64, count=len(tracks)))
    return np.unique(catalogue.recording[rows[rows >= 0]])


def unwanted_rows(user: User | None, loaded: LoadedModel) -> IntArray:
    """Return the rows that are not for ``user``: what they blocked, and explicit songs where they want none; int32.

    For lists that are about songs rather than about the listener. Two queries; none for visitors, who may see all.
    """
    if user is None:
        return np.empty(0, dtype=np.int32)
    catalogue = loaded.model.catalogue
    exclusions = blocked(user, catalogue)
    allowed = AllowedTracks(
        catalogue, exclusions.rows, user.explicit_allowed, exclusions.artists, exclusions.genres
    ).mask()
    return np.flatnonzero(catalogue.active & ~allowed).astype(np.int32)


def load_feedback(user: User, loaded: LoadedModel, now: datetime | None = None) -> Feedback:
    """Return what ``user`` did and said, as rows of the model's catalogue; seven queries.

    Songs, artists and genres added after the model was fitted are left out.
    """
    return load_listener(user, loaded, now).feedback


def feedback_arrays(
    user: User, history: ListenerHistory, preferences: ListenerPreferences, loaded: LoadedModel, at: float
) -> Feedback:
    """Return a listener's history as rows of the model's catalogue; ``at``: now, in seconds since 1970."""
    catalogue = loaded.model.catalogue
    columns = np.concatenate([_rating_observations(history.rating_table), _play_observations(history.play_table)])
    rows = catalogue.rows_of(columns[:, 0].astype(np.int64))
    known = rows >= 0
    genres = catalogue.genres_of(np.array(history.genre_ids, dtype=np.int64))
    artists = catalogue.artists_of(np.array(history.artist_ids, dtype=np.int64))
    regions = loaded.regions
    return Feedback(
        rows=rows[known],
        kind=columns[known, 1].astype(np.int32),
        count=columns[known, 2].astype(np.float32),
        age_days=np.maximum(0.0, (at - columns[known, 3]) / SECONDS_PER_DAY).astype(np.float32),
        genres=genres[genres >= 0],
        artists=artists[artists >= 0],
        region=regions.index(user.region) if user.region in regions else NO_REGION,
        adjustments=_adjustments(preferences, catalogue),
    )


def _known(uncounted: Sequence[UncountedTrack], feedback: Feedback, catalogue: Catalogue, at: float) -> Known:
    """Return what the listener knows, by recording, because another version of a song is not a new song."""
    done_at = at - feedback.age_days.astype(np.float64) * SECONDS_PER_DAY
    was_heard = np.isin(feedback.kind, (FeedbackKind.COMPLETED, FeedbackKind.PLAY))
    was_liked = feedback.kind == FeedbackKind.LIKE
    others = catalogue.rows_of(np.array([track.track_id for track in uncounted], dtype=np.int64))
    rows = np.concatenate([feedback.rows, others[others >= 0]])
    recordings, positions = np.unique(catalogue.recording[rows], return_inverse=True)
    done = positions[: len(done_at)]
    heard_at, liked_at = np.zeros(len(recordings)), np.zeros(len(recordings))
    np.maximum.at(heard_at, done[was_heard], done_at[was_heard])
    np.maximum.at(liked_at, done[was_liked], done_at[was_liked])
    plays = np.bincount(done[was_heard], weights=feedback.count[was_heard], minlength=len(recordings))
    return Known(recordings, heard_at, liked_at, np.rint(plays).astype(np.int64))


def _adjustments(preferences: ListenerPreferences, catalogue: Catalogue) -> Adjustments:
    artists, artist_factors = _factors(preferences.artist_factors, catalogue.artists_of)
    genres, genre_factors = _factors(preferences.genre_factors, catalogue.genres_of)
    features = {name: value for name, value in preferences.feature_factors.items() if name in catalogue.feature_columns}
    return Adjustments(artists, artist_factors, genres, genre_factors, features)


def _factors(
    factors: Mapping[int, float], indices_of: Callable[[NDArray[np.int64]], IntArray]
) -> tuple[IntArray, FloatArray]:
    indices = indices_of(np.fromiter(factors, dtype=np.int64))
    values = np.fromiter(factors.values(), dtype=np.float32)
    return indices[indices >= 0], values[indices >= 0]


def exclusions_of(preferences: ListenerPreferences, track_ids: Sequence[int], catalogue: Catalogue) -> Exclusions:
    """Return the blocked artists and genres, and these songs with those of blocked compilers."""
    rows = catalogue.rows_of(np.array(track_ids, dtype=np.int64))
    artists = catalogue.artists_of(np.array(preferences.artist_ids, dtype=np.int64))
    if preferences.artist_ids:
        rows = np.concatenate([rows, catalogue.rows_of(_songs_of_compilers(preferences.artist_ids))])
    genres = catalogue.genres_of(np.array(preferences.genre_ids, dtype=np.int64))
    return Exclusions(rows[rows >= 0], artists[artists >= 0], genres[genres >= 0])


def _songs_of_compilers(artist_ids: Sequence[int]) -> NDArray[np.int64]:
    """Return the ids of the songs of those ``artists`` that are placeholders, such as "Various Artists"."""
    credited = TrackArtist.objects.filter(artist_id__in=artist_ids, artist__key__in=COMPILER_KEYS)
    return np.fromiter(credited.values_list("track_id", flat=True), dtype=np.int64)


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
