"""Reads of the feedback app for the recommender: plain tuples, few queries."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from heapq import merge
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from django.db.models import Case, Count, Exists, F, Max, Min, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
from numpy.typing import NDArray

from accounts.fast.int_tables import read_int_table, rows_by_key
from accounts.fast.unix_seconds import RowCount, UnixSeconds
from accounts.models import User
from feedback.plays.models import Play
from feedback.preferences.models import ArtistPreference, Block, GenrePreference, TasteAdjustment, TasteExclusion
from feedback.ratings.models import Rating
from feedback.source import Source

CHUNK_ROWS = 5000
# Maximum number of plays read for a page, the newest, so that ten years of history take no longer than one.
# At a hundred a day that is a year and a half, and what is older counts a tenth and less by then.
TASTE_PLAYS = 50_000
_LONG_AGO = datetime(1900, 1, 1, tzinfo=UTC)
_PLAY_COUNTS = {
    "played": RowCount("id"),
    "completed": RowCount("id", filter=Q(outcome=Play.Outcome.COMPLETED)),
    "skipped": RowCount("id", filter=Q(outcome=Play.Outcome.SKIPPED)),
    "last_at": UnixSeconds(Max("played_at")),
}
_COMPLETED, _SKIPPED = 1, 2
_ADJUSTMENT = ("artist_id", "genre_id", "feature", "factor")
_OUTCOME = Case(
    When(outcome=Play.Outcome.COMPLETED, then=_COMPLETED), When(outcome=Play.Outcome.SKIPPED, then=_SKIPPED), default=0
)


class RatedTrack(NamedTuple):
    """A rating: ``value`` is 1 or -1, ``at`` is in whole seconds since 1970 (UTC)."""

    track_id: int
    value: int
    at: int


class PlayedTrack(NamedTuple):
    """All counted plays of one song by one listener; ``last_at`` is in whole seconds since 1970 (UTC)."""

    track_id: int
    plays: int
    completed: int
    skipped: int
    last_at: int


class UncountedTrack(NamedTuple):
    """A song the listener rated or played without it counting in the taste; ``at`` as in ``RatedTrack``."""

    track_id: int
    is_rated: bool
    at: int


@dataclass(frozen=True, eq=False)
class ListenerHistory:
    """Ratings, plays and stated favourites of one listener.

    ``rating_table``, ``play_table``: int64[songs, 3] and [songs, 5], the columns of ``RatedTrack`` and ``PlayedTrack``,
    ordered by song. ``uncounted``: songs rated or played that do not count in the taste, but need no recommendation.
    """

    rating_table: NDArray[np.int64]
    play_table: NDArray[np.int64]
    genre_ids: tuple[int, ...]
    artist_ids: tuple[int, ...]
    uncounted: tuple[UncountedTrack, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is no evidence of the listener's taste."""
        return not (len(self.rating_table) or len(self.play_table) or self.genre_ids or self.artist_ids)

    @property
    def ratings(self) -> tuple[RatedTrack, ...]:
        """The rows of ``rating_table``."""
        return tuple(map(RatedTrack._make, self.rating_table.tolist()))

    @property
    def plays(self) -> tuple[PlayedTrack, ...]:
        """The rows of ``play_table``."""
        return tuple(map(PlayedTrack._make, self.play_table.tolist()))


@dataclass(frozen=True, eq=False)
class FeedbackEvents:
    """Feedback of one listener that counts, event by event.

    ``rating_table``: as in ``ListenerHistory``. ``play_table``: int64[plays, 3], song, outcome (``_OUTCOME``) and time.
    """

    rating_table: NDArray[np.int64]
    play_table: NDArray[np.int64]
    genre_ids: tuple[int, ...]
    artist_ids: tuple[int, ...]

    def before(self, at: float) -> ListenerHistory:
        """Return what had happened before a moment, in seconds since 1970; stated genres and artists are today's."""
        ratings = self.rating_table[self.rating_table[:, 2] < int(at)]
        plays = self.play_table[self.play_table[:, 2] < int(at)]
        return ListenerHistory(ratings, _plays_by_song(plays), self.genre_ids, self.artist_ids)


@dataclass(frozen=True)
class ListenerPreferences:
    """Blocks of one listener that are in force, by ID, and adjustments of the taste, as factors by ID or name."""

    track_ids: tuple[int, ...] = ()
    artist_ids: tuple[int, ...] = ()
    genre_ids: tuple[int, ...] = ()
    artist_factors: Mapping[int, float] = field(default_factory=dict)
    genre_factors: Mapping[int, float] = field(default_factory=dict)
    feature_factors: Mapping[str, float] = field(default_factory=dict)


class Interaction(NamedTuple):
    """Everything one listener did with one song: ``rating`` is 1, -1 or 0; ``last_at`` in whole seconds since 1970."""

    user_id: int
    track_id: int
    rating: int
    plays: int
    completed: int
    skipped: int
    last_at: int


def feedback_of(user: User) -> ListenerHistory:
    """Return the listener's ratings, plays and preferences, as far as they count, each ordered by id.

    Five queries; two more for a listener who keeps something out of the taste.
    """
    counted = _counted(user)
    return ListenerHistory(
        rating_table=_rating_table(counted.ratings),
        play_table=_plays_by_song(_play_events(counted.plays)),
        genre_ids=counted.genre_ids,
        artist_ids=counted.artist_ids,
        uncounted=_uncounted_tracks(user) if counted.has_exclusions else (),
    )


def feedback_events(users: Sequence[User]) -> dict[int, FeedbackEvents]:
    """Return the same event by event, for several listeners by ID; six queries for all of them together."""
    ids = [user.pk for user in users]
    excluded = set(TasteExclusion.objects.filter(user__in=ids).values_list("user_id", "artist_id"))
    excluding = {pk for pk, _artist in excluded} | {user.pk for user in users if user.private_since is not None}
    ratings, plays = Rating.objects.filter(user__in=ids), Play.objects.counted().filter(_are_newest(ids))
    if excluding:
        # Of those who exclude nothing, rows are not checked individually.
        by_them = Q(user__in=excluding)
        ratings, plays = (
            ratings.exclude(by_them & _excluded("updated_at")),
            plays.exclude(by_them & _excluded("played_at")),
        )
    rating_tables = _by_listener(ids, ratings, "value", UnixSeconds("updated_at"))
    play_tables = _by_listener(ids, plays, _OUTCOME, UnixSeconds("played_at"))
    genres: dict[int, list[int]] = {pk: [] for pk in ids}
    artists: dict[int, list[int]] = {pk: [] for pk in ids}
    for pk, genre in sorted(GenrePreference.objects.filter(user__in=ids).values_list("user_id", "genre_id")):
        genres[pk].append(genre)
    chosen = set(ArtistPreference.objects.filter(user__in=ids).values_list("user_id", "artist_id"))
    for pk, artist in sorted(chosen - excluded):
        artists[pk].append(artist)
    return {pk: FeedbackEvents(rating_tables[pk], play_tables[pk], tuple(genres[pk]), tuple(artists[pk])) for pk in ids}


def has_chosen(user: User) -> bool:
    """Return whether the listener chose genres or artists; at most two queries."""
    own = {"user": user}
    return GenrePreference.objects.filter(**own).exists() or ArtistPreference.objects.filter(**own).exists()


def has_told_nothing(user: User) -> bool:
    """Return whether the listener has rated, played and chosen nothing; at most four queries."""
    return not (
        Rating.objects.filter(user=user).exists() or Play.objects.filter(user=user).exists() or has_chosen(user)
    )


def counted_totals(user: User) -> tuple[int, int]:
    """Return how many plays and likes count in the listener's taste; three queries."""
    ratings, plays = Rating.objects.filter(user=user, value=Rating.Value.LIKE), Play.objects.counted().filter(user=user)
    if user.private_since is not None or TasteExclusion.objects.filter(user=user).exists():
        ratings, plays = ratings.exclude(_excluded("updated_at")), plays.exclude(_excluded("played_at"))
    return plays.count(), ratings.count()


class _Counted(NamedTuple):
    """What of a listener counts in the taste."""

    ratings: QuerySet[Rating]
    plays: QuerySet[Play]
    genre_ids: tuple[int, ...]
    artist_ids: tuple[int, ...]
    has_exclusions: bool


def _counted(user: User) -> _Counted:
    ratings = Rating.objects.filter(user=user)
    plays = Play.objects.counted().filter(user=user, played_at__gt=_taste_begins(user))
    excluded_artists = list(TasteExclusion.objects.filter(user=user).values_list("artist_id", flat=True))
    has_exclusions = bool(excluded_artists) or user.private_since is not None
    if has_exclusions:
        ratings, plays = ratings.exclude(_excluded("updated_at")), plays.exclude(_excluded("played_at"))
    genres = GenrePreference.objects.filter(user=user).order_by("genre_id").values_list("genre_id", flat=True)
    artists = ArtistPreference.objects.filter(user=user).order_by("artist_id").values_list("artist_id", flat=True)
    counted_artists = tuple(artist for artist in artists if artist not in excluded_artists)
    return _Counted(ratings, plays, tuple(genres), counted_artists, has_exclusions)


def _rating_table(ratings: QuerySet[Rating]) -> NDArray[np.int64]:
    table = read_int_table(ratings.order_by(), "track_id", "value", UnixSeconds("updated_at"))
    return table[np.argsort(table[:, 0])]


def _play_events(plays: QuerySet[Play]) -> NDArray[np.int64]:
    return read_int_table(plays.order_by(), "track_id", _OUTCOME, UnixSeconds("played_at"))


def _plays_by_song(events: NDArray[np.int64]) -> NDArray[np.int64]:
    """Add plays up by song; here, which takes half as long as grouping in SQLite and reading the groups."""
    tracks, outcome, at = events.T
    distinct, group = np.unique(tracks, return_inverse=True)
    last = np.full(len(distinct), np.iinfo(np.int64).min)
    np.maximum.at(last, group, at)
    counts = [np.bincount(group, minlength=len(distinct))]
    counts += [np.bincount(group[outcome == code], minlength=len(distinct)) for code in (_COMPLETED, _SKIPPED)]
    return np.stack([distinct, *counts, last], axis=1).astype(np.int64)


def _taste_begins(user: User) -> Coalesce:
    """Return the moment after which plays are read, as an expression: the database finds it along an index."""
    newest = Play.objects.filter(user=user).order_by("-played_at").values("played_at")
    return Coalesce(Subquery(newest[TASTE_PLAYS : TASTE_PLAYS + 1]), Value(_LONG_AGO))


def _are_newest(ids: Sequence[int]) -> Q:
    """Return the condition that a play is one of the ``TASTE_PLAYS`` newest of one of these listeners; one query."""
    newest = Play.objects.filter(user=OuterRef("pk")).order_by("-played_at").values("played_at")
    begins = User.objects.filter(pk__in=ids).values_list("pk", Subquery(newest[TASTE_PLAYS : TASTE_PLAYS + 1]))
    begun = {pk: at for pk, at in begins if at is not None}
    are_newest = Q(user__in=[pk for pk in ids if pk not in begun])
    for pk, at in begun.items():
        are_newest |= Q(user=pk, played_at__gt=at)
    return are_newest


def _by_listener(ids: Sequence[int], rows: QuerySet[Any], *columns: str | Combinable) -> dict[int, NDArray[np.int64]]:
    """Return the song and these columns of the rows of each listener, ordered by song; one query."""
    table = read_int_table(rows.order_by(), "user_id", "track_id", *columns)
    return rows_by_key(table[np.lexsort((table[:, 1], table[:, 0]))], ids)


def _excluded(time_column: str) -> Q:
    """Return the condition that the listener excluded a rating or play; ``time_column``: when it was. Excluded are
    songs, artists, periods and private sessions.
    """
    own = TasteExclusion.objects.filter(user_id=OuterRef("user_id"))
    by_thing = Q(track_id=OuterRef("track_id")) | Q(artist__credits__track_id=OuterRef("track_id"))
    by_time = Q(since__lte=OuterRef(time_column), until__gt=OuterRef(time_column))
    is_private = Q(user__private_since__isnull=False, user__private_since__lte=F(time_column))
    return Q(Exists(own.filter(by_thing | by_time))) | is_private


def _uncounted_tracks(user: User) -> tuple[UncountedTrack, ...]:
    ratings = Rating.objects.filter(_excluded("updated_at"), user=user).order_by("track_id")
    plays = Play.objects.filter(_excluded("played_at"), user=user).order_by("track_id")
    last_plays = plays.values("track_id").annotate(at=UnixSeconds(Max("played_at")))
    return (
        *(UncountedTrack(pk, True, at) for pk, at in ratings.values_list("track_id", UnixSeconds("updated_at"))),
        *(UncountedTrack(pk, False, at) for pk, at in last_plays.values_list("track_id", "at")),
    )


def preferences_of(user: User) -> ListenerPreferences:
    """Return the blocks of the listener that are in force, and their adjustments; two queries."""
    blocks = list(Block.objects.in_force().filter(user=user).values_list("track_id", "artist_id", "genre_id"))
    tracks, artists, genres = (
        tuple(sorted(row[column] for row in blocks if row[column] is not None)) for column in range(3)
    )
    lines = TasteAdjustment.objects.filter(user=user).values_list(*_ADJUSTMENT)
    return ListenerPreferences(tracks, artists, genres, *_factors(list(lines)))


def adjustments_of(users: Sequence[User]) -> dict[int, ListenerPreferences]:
    """Return the adjustments alone, for several listeners by ID; one query."""
    lines: dict[int, list[tuple[Any, ...]]] = {user.pk: [] for user in users}
    for pk, *line in TasteAdjustment.objects.filter(user__in=users).values_list("user_id", *_ADJUSTMENT):
        lines[pk].append(tuple(line))
    return {pk: ListenerPreferences((), (), (), *_factors(own)) for pk, own in lines.items()}


def _factors(lines: Sequence[tuple[Any, ...]]) -> tuple[dict[int, float], dict[int, float], dict[str, float]]:
    return (
        {artist: factor for artist, _genre, _feature, factor in lines if artist is not None},
        {genre: factor for _artist, genre, _feature, factor in lines if genre is not None},
        {feature: factor for _artist, _genre, feature, factor in lines if feature is not None},
    )


def interactions() -> Iterator[Interaction]:
    """Yield one row per listener and song, ordered by listener and song, for all listeners.

    Only what a model shared by all listeners may be fitted on: see :class:`feedback.source.Source`.
    Ratings and counted plays are read side by side in chunks, so that memory does not grow with them.
    """
    # If nobody on the site excludes anything, rows are not checked individually.
    has_exclusions = TasteExclusion.objects.exists() or User.objects.filter(private_since__isnull=False).exists()
    rows = merge(_all_ratings(has_exclusions), _all_plays(has_exclusions), key=lambda row: row[:2])
    for _pair, group in groupby(rows, key=lambda row: row[:2]):
        first, *second = group
        yield _joined(first, second[0]) if second else first


def _all_ratings(has_exclusions: bool) -> Iterator[Interaction]:
    ratings = Rating.objects.filter(source__in=Source.shareable()).order_by("user_id", "track_id")
    if has_exclusions:
        ratings = ratings.exclude(_excluded("updated_at"))
    rows = ratings.values_list("user_id", "track_id", "value", UnixSeconds("updated_at"))
    for user_id, track_id, value, at in rows.iterator(chunk_size=CHUNK_ROWS):
        yield Interaction(user_id, track_id, value, 0, 0, 0, at)


def _all_plays(has_exclusions: bool) -> Iterator[Interaction]:
    plays = Play.objects.counted().filter(source__in=Source.shareable()).order_by("user_id", "track_id")
    if has_exclusions:
        plays = plays.exclude(_excluded("played_at"))
    rows = plays.values("user_id", "track_id").annotate(**_PLAY_COUNTS)
    columns = rows.values_list("user_id", "track_id", *_PLAY_COUNTS)
    for user_id, track_id, played, completed, skipped, at in columns.iterator(chunk_size=CHUNK_ROWS):
        yield Interaction(user_id, track_id, 0, played, completed, skipped, at)


def _joined(rating: Interaction, plays: Interaction) -> Interaction:
    return plays._replace(rating=rating.rating, last_at=max(rating.last_at, plays.last_at))


def feedback_fingerprint() -> str:
    """Return 32 hexadecimal digits that change when any listener's feedback changes, a deletion among it.

    Counts see most deletions; sums and extremes of the ids see a row that went while another came, and songs that
    were merged. Two queries per table read no row into Python.
    """
    ratings = Rating.objects.aggregate(
        Count("id"),
        Min("id"),
        Max("id"),
        Max("updated_at"),
        Sum("value"),
        Sum("track_id"),
        shareable=Count("id", filter=Q(source__in=Source.shareable())),
    )
    plays = Play.objects.aggregate(
        Count("id"),
        Min("id"),
        Max("id"),
        Max("played_at"),
        Sum("track_id"),
        counted=Count("id", filter=Q(is_counted=True)),
        shareable=Count("id", filter=Q(source__in=Source.shareable())),
        completed=Count("id", filter=Q(outcome=Play.Outcome.COMPLETED)),
        skipped=Count("id", filter=Q(outcome=Play.Outcome.SKIPPED)),
    )
    preferences = [model.objects.aggregate(Count("id"), Max("id")) for model in (GenrePreference, ArtistPreference)]
    exclusions = TasteExclusion.objects.aggregate(Count("id"), Max("id"), Sum("track_id"))
    private = User.objects.aggregate(Count("private_since"), Max("private_since"))
    parts: list[Any] = [ratings, plays, *preferences, exclusions, private]
    text = "\n".join(str(value) for part in parts for value in part.values())
    return blake2b(text.encode(), digest_size=16).hexdigest()
