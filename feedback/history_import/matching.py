"""Which song of the catalogue a play means: by Spotify id, by ISRC, then by title and first artist. Nobody is asked."""

from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

from django.db.models import QuerySet

from catalog.importing.private import add_private_songs, private_song
from catalog.importing.writer import batches, fetch
from catalog.models import Track
from catalog.text import recording_key
from feedback.history_import.formats import PlayRow

UNKNOWN = 0
# The operator hid it: nothing is recorded about it.
HIDDEN = -1
MAX_REMEMBERED = 100_000
_FIELDS = ("pk", "is_active", "origin", "popularity")


class Found(NamedTuple):
    """What the catalogue holds under one id or key: the best song first."""

    pk: int
    is_usable: bool
    rank: tuple[bool, int, int]


class Matcher:
    """Matches plays to songs, remembering what it found: a history names each song many times."""

    def __init__(self, *, creates: bool) -> None:
        self._creates = creates
        self._known: dict[Hashable, int] = {}
        self.created = 0

    def forget(self) -> None:
        """Forget everything: after a transaction was rolled back, songs it created are gone."""
        self._known.clear()

    def match(self, rows: Sequence[PlayRow]) -> list[int]:
        """Return a song's id, ``UNKNOWN`` or ``HIDDEN`` for each play; within a transaction: songs may be created."""
        self.created = 0
        if len(self._known) > MAX_REMEMBERED:
            self._known.clear()
        keys = [song_key(row) for row in rows]
        new = {key: row for key, row in zip(keys, rows, strict=True) if key not in self._known}
        if new:
            self._look_up(new)
        known = self._known
        return [known[key] for key in keys]

    def _look_up(self, songs: dict[Hashable, PlayRow]) -> None:
        found = _best(Track.objects.all(), "spotify_id", {row.spotify_id for row in songs.values()} - {""})
        left = self._take(songs, found, lambda row: row.spotify_id)
        found = _best(Track.objects.all(), "isrc", {row.isrc for row in left.values()} - {""})
        left = self._take(left, found, lambda row: row.isrc)
        recordings = {key: recording_key(row.title, row.artists[0]) for key, row in left.items()}
        found = _best(Track.objects.all(), "recording_key", set(recordings.values()))
        for key in list(left):
            song = found.get(recordings[key])
            if song is not None:
                self._known[key] = song.pk if song.is_usable else HIDDEN
                del left[key]
        if self._creates and left:
            self._create(left, recordings)
        else:
            self._known.update(dict.fromkeys(left, UNKNOWN))

    def _take(
        self, songs: dict[Hashable, PlayRow], found: dict[str, Found], value: "object"
    ) -> dict[Hashable, PlayRow]:
        left = {}
        for key, row in songs.items():
            song = found.get(value(row))  # type: ignore[operator]
            if song is None:
                left[key] = row
            else:
                self._known[key] = song.pk if song.is_usable else HIDDEN
        return left

    def _create(self, songs: dict[Hashable, PlayRow], recordings: dict[Hashable, str]) -> None:
        # Two releases of one recording become one song, under the id that came first.
        first: dict[str, PlayRow] = {}
        for key, row in songs.items():
            first.setdefault(recordings[key], row)
        made = add_private_songs(
            [
                private_song(
                    spotify_id=row.spotify_id, title=row.title, artists=row.artists, album=row.album, isrc=row.isrc
                )
                for row in first.values()
            ]
        )
        pks = dict(zip(first, made, strict=True))
        self._known.update({key: pks[recordings[key]] for key in songs})
        self.created = len(made)


def song_key(row: PlayRow) -> Hashable:
    """Return what a history knows a song by."""
    return row.spotify_id or (row.title, row.artists[0], row.isrc)


def _best(tracks: QuerySet[Track], field: str, values: Iterable[str]) -> dict[str, Found]:
    best: dict[str, Found] = {}
    for batch in batches(sorted(values)):
        for pk, is_active, origin, popularity, value in fetch(
            tracks.filter(**{f"{field}__in": batch}), *_FIELDS, field
        ):
            # What is shown goes before what only histories know, then the better known, then the older.
            song = Found(pk, bool(is_active) or origin == Track.Origin.PRIVATE, (bool(is_active), popularity or 0, -pk))
            if value not in best or song.rank > best[value].rank:
                best[value] = song
    return best
