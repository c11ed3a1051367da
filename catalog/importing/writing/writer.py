"""Writing a plan to the database in few statements.

Rows go in through Django's own cursors, many in a statement: with a model instance per row, building it would cost
more than writing it. The names of tables and columns come from the models.
"""

import json
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from django.db import connection, models
from django.db.backends.utils import CursorWrapper
from django.db.models.constants import OnConflict
from django.utils import timezone

from catalog.features import FEATURE_NAMES, SOUND_COLUMNS
from catalog.identity.text import fold, own_recording_key, recording_key, told_recording_key, track_text
from catalog.importing.reading.reader import SongRow
from catalog.importing.writing.merge import CREATED, SEEN, Identity, best_match, identity, known_fields
from catalog.importing.writing.names import ArtistNames, StoredArtist
from catalog.importing.writing.plan import Change, Plan, StoredSong
from catalog.models import Artist, Genre, Track, TrackArtist
from catalog.search.words import note_words

# Old builds of SQLite take at most 999 parameters per statement.
BATCH = 900
# Elsewhere, a number that keeps statements at a reasonable size.
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
_SEARCH_TEXT = _NEW_COLUMNS.index("search_text")
_SOUND_PLACES = [FEATURE_NAMES.index(name) for name in SOUND_COLUMNS]
_T = TypeVar("_T")
_GenreLink = Track.genres.through


class SongWriter:
    """Writes plans, and remembers the primary keys of artists and genres between chunks.

    Every method must be called within a transaction; after one was rolled back, call :meth:`forget`.
    """

    def __init__(
        self,
        *,
        origin: Track.Origin,
        features_origin: Track.FeaturesOrigin,
        is_active: bool = True,
        told_apart: frozenset[int] = frozenset(),
    ) -> None:
        self.names = ArtistNames(load_artists, told_apart)
        self._origin = origin
        self._is_active = is_active
        self._features_origin = features_origin
        self._genres: dict[str, int] = {}
        self._feature_texts = _FeatureTexts()

    def forget(self) -> None:
        """Forget remembered primary keys."""
        self.names.forget()
        self._genres.clear()

    def write(self, plan: Plan) -> None:
        """Write ``plan`` and add the primary keys of its new songs to its marks."""
        now = timezone.now()
        artists = [row.artists for row in plan.created]
        artists += [change.artists for change in plan.changes if change.artists is not None]
        self._add_artists(name for names in artists for name in names)
        genres = [row.genres for row in plan.created] + [change.genres for change in plan.changes]
        self._add_genres({name for names in genres for name in names})
        known = list(plan.state_by_pk)
        self._create(plan, now)
        self._change(plan.changes, plan.state_by_pk, now)
        if self._is_active:
            self._adopt(known, now)

    def _adopt(self, pks: Iterable[int], now: datetime) -> None:
        """Show songs that were known only from histories or Spotify; they now belong to the operator's catalogue."""
        for batch in batches(pks):
            songs = Track.objects.filter(pk__in=batch)
            songs.filter(origin=Track.Origin.PRIVATE).update(origin=self._origin, is_active=True, updated_at=now)
            songs.filter(origin=Track.Origin.SPOTIFY).update(origin=self._origin, updated_at=now)

    # --- artists and genres ------------------------------------------------------------------------------------------
    def _add_artists(self, names: Iterable[str]) -> None:
        """Make sure that every name has an artist in ``self.names``."""
        wanted = dict.fromkeys(names)
        self.names.look_up(wanted)
        update(Artist, ("key",), [(artist.key, artist.pk) for artist in self.names.take_freed()])
        new = self.names.missing(wanted)
        insert(Artist, ("name", "key", "search_name"), [(name, key, fold(name)[:300]) for key, name in new.items()])
        self.names.load(new)

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
            self._genres.update(fetch_in(Genre, "name", batch, "name", "id"))

    # --- songs -------------------------------------------------------------------------------------------------------
    def _create(self, plan: Plan, now: datetime) -> None:
        if not plan.created:
            return
        last = Track.objects.order_by().aggregate(last=models.Max("pk"))["last"] or 0
        moment = connection.ops.adapt_datetimefield_value(now)
        credited = [self.names.credited(row.artists) for row in plan.created]
        values = []
        for row, artists in zip(plan.created, credited, strict=True):
            text = track_text(row.title, row.album, [artist.name for artist in artists])
            features = self._feature_texts.json(row)
            values.append((
                row.spotify_id or None, *_plain(row), features,
                self._features_origin.value if features != "{}" else "", self._origin.value, self._is_active,
                moment, moment, *text, *[row.features[number] for number in _SOUND_PLACES],
            ))  # fmt: skip
        insert(Track, _NEW_COLUMNS, values)
        note_words(row[_SEARCH_TEXT] for row in values)
        pks = _new_pks(values, last)
        for pk, row in zip(pks, plan.created, strict=True):
            plan.state_by_pk[pk] = known_fields(row) | CREATED | SEEN
        self._credit(zip(pks, credited, strict=True))
        self._tag((pk, row.genres) for pk, row in zip(pks, plan.created, strict=True))

    def _change(self, changes: Sequence[Change], state_by_pk: Mapping[int, int], now: datetime) -> None:
        moment = connection.ops.adapt_datetimefield_value(now)
        credited = {c.song.pk: self.names.credited(c.artists) for c in changes if c.artists is not None}
        rewritten, touched = [], []
        for change in changes:
            pk = change.song.pk
            if change.values or pk in credited:
                names = [artist.name for artist in credited[pk]] if pk in credited else list(change.song.artists)
                rewritten.append((*_changed_values(change, names, moment), pk))
            elif not state_by_pk[pk] & CREATED:
                touched.append((moment, pk))
        update(Track, _CHANGED_COLUMNS, rewritten)
        note_words(row[_CHANGED_COLUMNS.index("search_text")] for row in rewritten)
        update(Track, ("updated_at",), touched)
        for batch in batches(credited):
            TrackArtist.objects.filter(track__in=batch).delete()
        self._credit(credited.items())
        self._tag((change.song.pk, change.genres) for change in changes)

    def _credit(self, credited: Iterable[tuple[int, Sequence[StoredArtist]]]) -> None:
        rows = [(track, artist.pk, position) for track, artists in credited for position, artist in enumerate(artists)]
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


def load_artists(keys: Iterable[str]) -> Iterator[StoredArtist]:
    """Yield the artists of those keys that the database holds."""
    for batch in batches(keys):
        yield from map(StoredArtist._make, fetch_in(Artist, "key", batch, "id", "key", "name"))


def load_songs(songs: Mapping[Hashable, SongRow], names: ArtistNames) -> dict[Hashable, StoredSong]:
    """Return what the database holds of ``songs``, by the same keys; ``names`` then know all artists that differ."""
    records: dict[Hashable, dict[str, Any]] = {}
    columns = ("id", "spotify_id", *_VALUES, "features", "features_origin")
    ids = [row.spotify_id for row in songs.values() if row.spotify_id]
    for batch in batches(ids):
        for values in fetch_in(Track, "spotify_id", batch, *columns):
            record = dict(zip(columns, values, strict=True))
            records[record["spotify_id"]] = record
    nameless = {key: row for key, row in songs.items() if not row.spotify_id}
    if nameless:
        names.look_up(name for row in nameless.values() for name in row.artists)
        records |= _find_by_identity(nameless, columns, names)
    artists, genres = _load_links([record["id"] for record in records.values()])
    stored = {key: _stored(record, artists, genres) for key, record in records.items()}
    names.look_up(
        name for key, song in stored.items() if songs[key].artists != song.artists for name in songs[key].artists
    )
    return {key: song._replace(artist_keys=tuple(map(names.current, song.artist_keys))) for key, song in stored.items()}


def _find_by_identity(
    songs: Mapping[Hashable, SongRow], columns: Sequence[str], names: ArtistNames
) -> dict[Hashable, dict[str, Any]]:
    """Find songs without id by folded title and artists, and by their album where it is known; the oldest first."""
    candidates: dict[int, dict[str, Any]] = {}
    for batch in batches(_recording_keys(songs.values())):
        for values in fetch_in(Track, "recording_key", batch, *columns):
            record = dict(zip(columns, values, strict=True))
            candidates[record["id"]] = record
    artists, _ = _load_links(list(candidates))
    alike: dict[Identity, dict[int, tuple[str, int | None]]] = defaultdict(dict)
    for pk, record in sorted(candidates.items()):
        base = identity(record["title"], [key for _, key in artists[pk]])
        alike[base][pk] = record["album"], record["duration_ms"]
    matches: dict[Hashable, dict[str, Any]] = {}
    for key, row in songs.items():
        others = alike.get(identity(row.title, dict.fromkeys(map(names.key, row.artists))), {})
        match = best_match(row, [(pk, album, ms) for pk, (album, ms) in others.items()])
        if isinstance(match, int):
            matches[key] = candidates[match]
            # Another row of the file already has it.
            del others[match]
    return matches


def _recording_keys(rows: Iterable[SongRow]) -> set[str]:
    """Return the keys under which the songs of ``rows`` may be found."""
    keys: set[str] = set()
    for row in rows:
        first = row.artists[0] if row.artists else ""
        keys.add(recording_key(row.title, first))
        keys.add(told_recording_key(row.title, first))
        if row.album:
            keys.add(own_recording_key(row.title, first, row.album))
    return keys


def _load_links(pks: Sequence[int]) -> tuple[dict[int, list[tuple[str, str]]], dict[int, set[str]]]:
    """Return the artists' names and keys, in order, and the genres of each song."""
    artists: dict[int, list[tuple[str, str]]] = defaultdict(list)
    genres: dict[int, set[str]] = defaultdict(set)
    for batch in batches(pks):
        links = TrackArtist.objects.filter(track__in=batch)
        for pk, _, name, key in sorted(fetch(links, "track_id", "position", "artist__name", "artist__key")):
            artists[pk].append((name, key))
        for pk, name in fetch(_GenreLink.objects.filter(track__in=batch), "track_id", "genre__name"):
            genres[pk].add(name)
    return artists, genres


def _stored(
    record: dict[str, Any], artists: Mapping[int, Sequence[tuple[str, str]]], genres: Mapping[int, set[str]]
) -> StoredSong:
    pk = record["id"]
    return StoredSong(
        pk=pk,
        values=record,
        features=json.loads(record["features"]),
        features_origin=record["features_origin"],
        artists=tuple(name for name, _ in artists.get(pk, ())),
        artist_keys=tuple(key for _, key in artists.get(pk, ())),
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
    keys = (tuple(row[column] for column in places) for row in values)
    return [pks[key[0] or key[1:]].pop() for key in keys]


def fetch(queryset: models.QuerySet[Any], *fields: str) -> list[tuple[Any, ...]]:
    """Return ``fields`` of the rows of ``queryset``, unordered, as the database driver gives them (JSON as text)."""
    statement, parameters = queryset.order_by().values_list(*fields).query.sql_with_params()
    with _cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def fetch_in(
    model: type[models.Model], column: str, values: Sequence[str | int], *columns: str
) -> list[tuple[Any, ...]]:
    """Return ``columns`` of the rows in which ``column`` is one of ``values``, as :func:`fetch` does.

    Written out, as for so many values Django takes longer to prepare the statement than the database to answer it.
    """
    quote = connection.ops.quote_name
    places = ", ".join(["%s"] * len(values))
    # Tables and columns come from the models, the values are parameters.
    statement = (
        f"SELECT {', '.join(map(quote, columns))} FROM {quote(model._meta.db_table)} "  # noqa: S608
        f"WHERE {quote(column)} IN ({places})"
    )
    with _cursor() as cursor:
        cursor.execute(statement, list(values))
        return list(cursor.fetchall())


def insert(model: type[models.Model], columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert ``rows`` of ``columns`` (names as in the database), many in a statement.

    On SQLite each statement makes the search index write out what it holds back, so one row at a time takes three
    times as long.
    """
    quote = connection.ops.quote_name
    # Tables and columns come from the models, the values are parameters.
    head = f"INSERT INTO {quote(model._meta.db_table)} ({', '.join(map(quote, columns))}) VALUES "  # noqa: S608
    placeholders = f"({', '.join(['%s'] * len(columns))})"
    for batch in batches(rows, (connection.features.max_query_params or MAX_PARAMETERS) // len(columns)):
        with _cursor() as cursor:
            cursor.execute(head + ", ".join([placeholders] * len(batch)), [value for row in batch for value in row])


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
