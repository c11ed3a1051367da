"""Writing a plan to the database in few statements.

Rows go in through Django's own cursors, many in a statement: with a model instance per row, building it would cost
more than writing it. The names of tables and columns come from the models.
"""

import json
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any, TypeVar

from django.db import connection, models
from django.db.backends.utils import CursorWrapper
from django.db.models.constants import OnConflict
from django.utils import timezone

from catalog.features import FEATURE_NAMES, SOUND_COLUMNS
from catalog.importing.merge import CREATED, SEEN, identity, provided
from catalog.importing.plan import Change, Plan, StoredSong
from catalog.importing.reader import SongRow
from catalog.models import Artist, Genre, Track, TrackArtist
from catalog.text import artist_key, fold, recording_key, track_text

# SQLite takes at most 999 parameters a statement where it was built long ago.
BATCH = 900
# Where the database sets no bound, as many as keep statements of a handy size.
MAX_PARAMETERS = 10_000
MAX_REMEMBERED = 20_000
_VALUES = ("title", "album", "popularity", "duration_ms", "explicit", "release_year", "preview_url", "isrc")
_NEW_COLUMNS = (
    "spotify_id", *_VALUES, "features", "features_origin", "origin", "is_active", "created_at", "updated_at",
    "artist_names", "recording_key", "search_key", "search_text", *SOUND_COLUMNS,
)  # fmt: skip
_CHANGED_COLUMNS = (
    *_VALUES, "features", "features_origin", "updated_at", "artist_names", "recording_key", "search_key", "search_text",
    *SOUND_COLUMNS,
)  # fmt: skip
_SOUND_PLACES = [FEATURE_NAMES.index(name) for name in SOUND_COLUMNS]
_T = TypeVar("_T")
_key = lru_cache(maxsize=MAX_REMEMBERED)(artist_key)
_GenreLink = Track.genres.through


class Writer:
    """Writes plans, and remembers the primary keys of artists and genres between chunks.

    Every method wants to be called within a transaction; after one was rolled back, call :meth:`forget`.
    """

    def __init__(self, *, origin: Track.Origin, features_origin: Track.FeaturesOrigin, is_active: bool = True) -> None:
        self._origin = origin
        self._is_active = is_active
        self._features_origin = features_origin
        self._artists: dict[str, tuple[int, str]] = {}
        self._genres: dict[str, int] = {}
        self._feature_texts = _FeatureTexts()

    def forget(self) -> None:
        """Forget remembered primary keys."""
        self._artists.clear()
        self._genres.clear()

    def write(self, plan: Plan) -> None:
        """Write ``plan`` and add the primary keys of its new songs to its marks."""
        now = timezone.now()
        artists = [row.artists for row in plan.created]
        artists += [change.artists for change in plan.changes if change.artists is not None]
        self._add_artists(name for names in artists for name in names)
        genres = [row.genres for row in plan.created] + [change.genres for change in plan.changes]
        self._add_genres({name for names in genres for name in names})
        self._create(plan, now)
        self._change(plan.changes, plan.marks, now)
        if self._is_active:
            self._adopt(plan.marks, now)

    def _adopt(self, pks: Iterable[int], now: datetime) -> None:
        """Show songs that so far only listeners' histories knew."""
        for batch in batches(pks):
            private = Track.objects.filter(pk__in=batch, origin=Track.Origin.PRIVATE)
            private.update(origin=self._origin, is_active=True, updated_at=now)

    # --- artists and genres ------------------------------------------------------------------------------------------
    def _add_artists(self, names: Iterable[str]) -> None:
        """Make sure that every name has an artist, known in ``self._artists`` by key with primary key and name."""
        if len(self._artists) > MAX_REMEMBERED:
            self._artists.clear()
        missing: dict[str, str] = {}
        for name in dict.fromkeys(names):
            key = _key(name)
            if key not in self._artists:
                missing.setdefault(key, name)
        self._load_artists(missing)
        new = {key: name for key, name in missing.items() if key not in self._artists}
        insert(Artist, ("name", "key", "search_name"), [(name, key, fold(name)[:300]) for key, name in new.items()])
        self._load_artists(new)

    def _load_artists(self, keys: Iterable[str]) -> None:
        for batch in batches(keys):
            for pk, key, name in fetch(Artist.objects.filter(key__in=batch), "pk", "key", "name"):
                self._artists[key] = pk, name

    def _add_genres(self, names: set[str]) -> None:
        if len(self._genres) > MAX_REMEMBERED:
            self._genres.clear()
        missing = sorted(names - self._genres.keys())
        self._load_genres(missing)
        new = [name for name in missing if name not in self._genres]
        insert(Genre, ("name",), [(name,) for name in new])
        self._load_genres(new)

    def _load_genres(self, names: Iterable[str]) -> None:
        for batch in batches(names):
            self._genres.update(fetch(Genre.objects.filter(name__in=batch), "name", "pk"))

    def _credited(self, names: Iterable[str]) -> list[tuple[int, str]]:
        """Return primary key and name of each artist once: names may differ only in spelling."""
        return list(dict.fromkeys(self._artists[_key(name)] for name in names))

    # --- songs -------------------------------------------------------------------------------------------------------
    def _create(self, plan: Plan, now: datetime) -> None:
        if not plan.created:
            return
        last = Track.objects.order_by().aggregate(last=models.Max("pk"))["last"] or 0
        moment = connection.ops.adapt_datetimefield_value(now)
        credited = [self._credited(row.artists) for row in plan.created]
        values = []
        for row, artists in zip(plan.created, credited, strict=True):
            text = track_text(row.title, row.album, [name for _, name in artists])
            features = self._feature_texts.json(row)
            values.append((
                row.spotify_id or None, *_plain(row), features,
                self._features_origin.value if features != "{}" else "", self._origin.value, self._is_active,
                moment, moment, *text, *[row.features[place] for place in _SOUND_PLACES],
            ))  # fmt: skip
        insert(Track, _NEW_COLUMNS, values)
        pks = _new_pks(values, last)
        for pk, row in zip(pks, plan.created, strict=True):
            plan.marks[pk] = provided(row) | CREATED | SEEN
        self._credit(zip(pks, credited, strict=True))
        self._tag((pk, row.genres) for pk, row in zip(pks, plan.created, strict=True))

    def _change(self, changes: Sequence[Change], marks: Mapping[int, int], now: datetime) -> None:
        moment = connection.ops.adapt_datetimefield_value(now)
        credited = {c.song.pk: self._credited(c.artists) for c in changes if c.artists is not None}
        rewritten, touched = [], []
        for change in changes:
            pk = change.song.pk
            if change.values or pk in credited:
                names = [name for _, name in credited[pk]] if pk in credited else list(change.song.artists)
                rewritten.append((*_changed_values(change, names, moment), pk))
            elif not marks[pk] & CREATED:
                touched.append((moment, pk))
        update(Track, _CHANGED_COLUMNS, rewritten)
        update(Track, ("updated_at",), touched)
        for batch in batches(credited):
            TrackArtist.objects.filter(track__in=batch).delete()
        self._credit(credited.items())
        self._tag((change.song.pk, change.genres) for change in changes)

    def _credit(self, credited: Iterable[tuple[int, Sequence[tuple[int, str]]]]) -> None:
        rows = [
            (track, artist, position) for track, artists in credited for position, (artist, _) in enumerate(artists)
        ]
        insert(TrackArtist, ("track_id", "artist_id", "position"), rows)

    def _tag(self, tagged: Iterable[tuple[int, Iterable[str]]]) -> None:
        rows = [(track, self._genres[name]) for track, names in tagged for name in names]
        insert(_GenreLink, ("track_id", "genre_id"), rows)


class _FeatureTexts:
    """Writes features as JSON, remembering how each value is written: that takes a fifth of the time."""

    def __init__(self) -> None:
        self._texts = [_FeatureText(name) for name in FEATURE_NAMES]

    def json(self, row: SongRow) -> str:
        """Return what ``json.dumps`` would of the known features by name."""
        pairs = zip(self._texts, row.features, strict=True)
        return "{" + ", ".join([text[value] for text, value in pairs if value is not None]) + "}"


class _FeatureText(dict[float, str]):
    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def __missing__(self, value: float) -> str:
        if len(self) > MAX_REMEMBERED:
            self.clear()
        text = self[value] = f'"{self._name}": {value!r}'
        return text


def load_songs(songs: Mapping[Hashable, SongRow]) -> dict[Hashable, StoredSong]:
    """Return what the database holds of ``songs``, by the same keys."""
    found: dict[Hashable, dict[str, Any]] = {}
    columns = ("pk", "spotify_id", *_VALUES, "features", "features_origin")
    ids = [row.spotify_id for row in songs.values() if row.spotify_id]
    for batch in batches(ids):
        for values in fetch(Track.objects.filter(spotify_id__in=batch), *columns):
            record = dict(zip(columns, values, strict=True))
            found[record["spotify_id"]] = record
    nameless = {key: row for key, row in songs.items() if not row.spotify_id}
    if nameless:
        found |= _find_by_identity(nameless, columns)
    artists, genres = _load_links([record["pk"] for record in found.values()])
    return {key: _stored(record, artists, genres) for key, record in found.items()}


def _find_by_identity(songs: Mapping[Hashable, SongRow], columns: Sequence[str]) -> dict[Hashable, dict[str, Any]]:
    """Find songs without id by folded title and artists; of several such songs, the oldest."""
    keys = {recording_key(row.title, row.artists[0] if row.artists else "") for row in songs.values()}
    candidates: list[dict[str, Any]] = []
    for batch in batches(keys):
        rows = fetch(Track.objects.filter(recording_key__in=batch), *columns)
        candidates += [dict(zip(columns, values, strict=True)) for values in rows]
    artists, _ = _load_links([record["pk"] for record in candidates])
    found: dict[Hashable, dict[str, Any]] = {}
    for record in sorted(candidates, key=lambda record: int(record["pk"])):
        key = identity(record["title"], artists[record["pk"]])
        if key in songs:
            found.setdefault(key, record)
    return found


def _load_links(pks: Sequence[int]) -> tuple[dict[int, list[str]], dict[int, set[str]]]:
    """Return the artists' names, in order, and the genres of each song."""
    artists: dict[int, list[str]] = defaultdict(list)
    genres: dict[int, set[str]] = defaultdict(set)
    for batch in batches(pks):
        credited = fetch(TrackArtist.objects.filter(track__in=batch), "track_id", "position", "artist__name")
        for pk, _, name in sorted(credited):
            artists[pk].append(name)
        for pk, name in fetch(_GenreLink.objects.filter(track__in=batch), "track_id", "genre__name"):
            genres[pk].add(name)
    return artists, genres


def _stored(record: dict[str, Any], artists: Mapping[int, Sequence[str]], genres: Mapping[int, set[str]]) -> StoredSong:
    pk = record["pk"]
    return StoredSong(
        pk=pk,
        values=record,
        features=json.loads(record["features"]),
        features_origin=record["features_origin"],
        artists=tuple(artists.get(pk, ())),
        genres=frozenset(genres.get(pk, ())),
    )


def _plain(row: SongRow) -> tuple[Any, ...]:
    """Return the values of ``row`` in the order of ``_VALUES``."""
    return (
        row.title, row.album, row.popularity, row.duration_ms, row.explicit, row.release_year, row.preview_url,
        row.isrc,
    )  # fmt: skip


def _changed_values(change: Change, artist_names: list[str], moment: Any) -> tuple[Any, ...]:
    """Return the values of a changed song in the order of ``_CHANGED_COLUMNS``."""
    values = {**change.song.values, "features": change.song.features, **change.values}
    text = track_text(values["title"], values["album"], artist_names)
    plain = (values[name] for name in _VALUES)
    sound = (values["features"].get(name) for name in SOUND_COLUMNS)
    return (*plain, json.dumps(values["features"]), str(values["features_origin"]), moment, *text, *sound)


def _new_pks(values: Sequence[tuple[Any, ...]], last: int) -> list[int]:
    """Return the primary keys of just inserted ``values``, all above ``last``, in their order.

    Asked for afterwards, as not every database tells them when many rows go in at once. Songs without id are told
    apart by what their row holds; equal ones are given out in the order in which they went in.
    """
    names = ("spotify_id", "title", "artist_names", "recording_key")
    places = [_NEW_COLUMNS.index(name) for name in names]
    pks: dict[Hashable, list[int]] = defaultdict(list)
    for pk, spotify_id, *rest in sorted(fetch(Track.objects.filter(pk__gt=last), "pk", *names), reverse=True):
        pks[spotify_id or tuple(rest)].append(pk)
    keys = (tuple(row[place] for place in places) for row in values)
    return [pks[key[0] or key[1:]].pop() for key in keys]


def fetch(queryset: models.QuerySet[Any], *fields: str) -> list[tuple[Any, ...]]:
    """Return ``fields`` of the rows of ``queryset``, unordered, as the database driver gives them (JSON as text)."""
    statement, parameters = queryset.order_by().values_list(*fields).query.sql_with_params()
    with _cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def insert(model: type[models.Model], columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert ``rows`` of ``columns`` (names as in the database), many in a statement.

    On SQLite each statement makes the search index write out what it holds back, so one row at a time takes three
    times as long.
    """
    quote = connection.ops.quote_name
    # Tables and columns come from the models, the values are parameters.
    head = f"INSERT INTO {quote(model._meta.db_table)} ({', '.join(map(quote, columns))}) VALUES "  # noqa: S608
    place = f"({', '.join(['%s'] * len(columns))})"
    for batch in batches(rows, (connection.features.max_query_params or MAX_PARAMETERS) // len(columns)):
        with _cursor() as cursor:
            cursor.execute(head + ", ".join([place] * len(batch)), [value for row in batch for value in row])


def insert_new(model: type[models.Model], columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> int:
    """Insert those of ``rows`` that break no unique constraint, and return how many those were."""
    if not rows:
        return 0
    quote, ops = connection.ops.quote_name, connection.ops
    head = ops.insert_statement(on_conflict=OnConflict.IGNORE)
    tail = ops.on_conflict_suffix_sql([], OnConflict.IGNORE, [], [])
    # Names come from the model, the values are parameters.
    names, places = ", ".join(map(quote, columns)), ", ".join(["%s"] * len(columns))
    statement = f"{head} {quote(model._meta.db_table)} ({names}) VALUES ({places}) {tail}"
    with _cursor() as cursor:
        cursor.executemany(statement, rows)
        return int(cursor.rowcount)


def update(model: type[models.Model], columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Set ``columns`` of the rows whose primary key ends each of ``rows``."""
    quote = connection.ops.quote_name
    names = ", ".join(f"{quote(column)} = %s" for column in columns)
    # The names come from the model, the values are parameters.
    statement = f"UPDATE {quote(model._meta.db_table)} SET {names} WHERE {quote('id')} = %s"  # noqa: S608
    if rows:
        with _cursor() as cursor:
            cursor.executemany(statement, rows)


def _cursor() -> CursorWrapper:
    """Return a cursor that does not keep its statements for debugging, which would take longer than running them."""
    return connection.make_cursor(connection.create_cursor())


def batches(items: Iterable[_T], size: int = BATCH) -> Iterator[list[_T]]:
    """Yield ``items`` in lists of at most ``size``."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
