"""Matches plays to songs of the catalogue: by Spotify id, MusicBrainz id, ISRC, then by title and first artist."""

from collections.abc import Hashable, Iterable, Sequence, Set
from typing import NamedTuple

from django.db.models import QuerySet

from accounts.limits.caps import UNLIMITED
from catalog.duplicates.recordings import part_recordings
from catalog.identity.lengths import differ_clearly
from catalog.identity.text import (
    base_title,
    fold,
    fold_name,
    own_recording_key,
    recording_key,
    signs_of,
    told_recording_key,
)
from catalog.importing.writing.private import add_private_songs, private_song
from catalog.importing.writing.writer import batches, fetch
from catalog.models import Track, TrackCode
from feedback.history_import.reading.rows import COMPLETED, PlayRow
from feedback.plays.spellings import artists_of, joined_spellings, parts_of

UNKNOWN = 0
# The operator hid the song, so nothing is recorded about it.
HIDDEN = -1
# The play has only an id, and it is unknown here.
NAMELESS = -2
MAX_REMEMBERED = 100_000
_FIELDS = ("pk", "recording_key", "is_active", "origin", "popularity")
_NAMES = ("title", "artist_names", "album", "duration_ms")
# A completed play of these listings was heard in full, so its length is known.
_TELL_LENGTHS = frozenset({"spotify", "listenbrainz", "rockbox", "apple", "streams"})


class Found(NamedTuple):
    """The songs of the catalogue with one id or key, the best first."""

    pk: int
    recording: str
    is_usable: bool
    rank: tuple[bool, int, int]


class Candidate(NamedTuple):
    """A candidate song of the catalogue, with what distinguishes it from others of the same name."""

    song: Found
    title: str
    artists: str
    album: str
    duration_ms: int | None


class Matcher:
    """Matches plays to songs, with a cache, because a history contains each song many times.

    ``recordings``: the recording key of each song that was found, by its id. ``made``: the songs that were created for
    the rows matched last. ``room``: at most so many are created; for others ``is_over`` is set, and they stay unknown.
    """

    def __init__(self, *, creates: bool) -> None:
        self._creates = creates
        self._known: dict[Hashable, int] = {}
        self.recordings: dict[int, str] = {}
        self._lengths: dict[Hashable, int] = {}
        self._contested: set[str] = set()
        self.made: list[int] = []
        self.room = UNLIMITED
        self.is_over = False

    def forget(self) -> None:
        """Clear the cache, because songs created in a transaction that was rolled back do not exist."""
        self._known.clear()
        self.recordings.clear()

    def drop(self, pks: set[int]) -> None:
        """Remove songs from the cache that no longer exist."""
        self._known = {key: pk for key, pk in self._known.items() if pk not in pks}
        self.made = [pk for pk in self.made if pk not in pks]

    def match(self, rows: Sequence[PlayRow]) -> list[int]:
        """Return a song's id, ``UNKNOWN``, ``HIDDEN`` or ``NAMELESS`` for each play.

        Call it within a transaction: songs may be created.
        """
        self.made = []
        if len(self._known) > MAX_REMEMBERED:
            self.forget()
        keys = [song_key(row) for row in rows]
        new: dict[Hashable, PlayRow] = {}
        self._lengths = {}
        for key, row in zip(keys, rows, strict=True):
            if key not in self._known:
                # Of several spellings of one song the first in the file is kept.
                new.setdefault(key, row)
                if row.outcome == COMPLETED and row.ms_played and row.listing in _TELL_LENGTHS:
                    self._lengths[key] = max(self._lengths.get(key, 0), row.ms_played)
        if new:
            self._look_up({key: row for key, row in new.items() if row.title})
            self._look_up_nameless({key: row for key, row in new.items() if not row.title})
        known = self._known
        return [known[key] for key in keys]

    def _look_up(self, songs: dict[Hashable, PlayRow]) -> None:
        matches = _best(Track.objects.all(), "spotify_id", {row.spotify_id for row in songs.values()} - {""})
        left = self._take(songs, matches, {key: row.spotify_id for key, row in songs.items()})
        matches = _by_code(TrackCode.Scheme.MBID, {row.mbid for row in left.values()} - {""})
        left = self._take(left, matches, {key: row.mbid for key, row in left.items()})
        matches = _by_code(TrackCode.Scheme.ISRC, {row.isrc for row in left.values()} - {""})
        left = self._take(left, matches, {key: row.isrc for key, row in left.items()})
        recordings = {key: recording_key(row.title, row.artists[0]) for key, row in left.items()}
        left = self._look_up_albums(left, recordings)
        left = self._look_up_recordings(left, recordings)
        left = self._look_up_spellings(left)
        # Several artists in one name: the catalogue knows the song by the first. Bands with a comma were matched above.
        names = {key: artists for key, row in left.items() if len(artists := _artists_of(row)) > len(row.artists)}
        firsts = {key: recording_key(left[key].title, artists[0]) for key, artists in names.items()}
        if firsts:
            matches = _best(Track.objects.all(), "recording_key", set(firsts.values()))
            left = self._take(left, matches, firsts)
            # A created song is also known by the first artist, however the next file writes them.
            left = {key: row._replace(artists=names.get(key, row.artists)) for key, row in left.items()}
            recordings |= {key: firsts[key] for key in left.keys() & firsts.keys()}
        if self._creates and left:
            self._create(left, recordings)
        else:
            self._known.update(dict.fromkeys(left, UNKNOWN))

    def _look_up_albums(
        self, songs: dict[Hashable, PlayRow], recordings: dict[Hashable, str]
    ) -> dict[Hashable, PlayRow]:
        """Find songs of which there are several under one name by their albums; return the others."""
        named = {key: row for key, row in songs.items() if row.album}
        own = {key: own_recording_key(row.title, row.artists[0], row.album) for key, row in named.items()}
        values = {recordings[key] for key in named} | set(own.values())
        # Shown songs take precedence over hidden songs and songs known only from histories.
        matches = _best(Track.objects.filter(is_active=True), "recording_key", values, beside="album")
        left = songs
        for keys in (own, recordings):
            left = self._take(left, matches, {key: f"{keys[key]}\n{fold(row.album)}" for key, row in named.items()})
        return left

    def _look_up_recordings(
        self, songs: dict[Hashable, PlayRow], recordings: dict[Hashable, str]
    ) -> dict[Hashable, PlayRow]:
        """Find songs by title and first artist; return those that are not there, or only as another recording."""
        own = {key: own_recording_key(row.title, row.artists[0], row.album) for key, row in songs.items() if row.album}
        by_signs = {key: told_recording_key(row.title, row.artists[0]) for key, row in songs.items()}
        candidates = _candidates({*(recordings[key] for key in songs), *own.values(), *by_signs.values()})
        matches: dict[str, Found] = {}
        values: dict[Hashable, str] = {}
        for number, (key, row) in enumerate(songs.items()):
            for value in (by_signs[key], own.get(key, ""), recordings[key]):
                fitting = [c for c in candidates.get(value, ()) if not self._is_another(key, row, c)]
                if fitting:
                    values[key] = str(number)
                    signs = signs_of(row.title)
                    best = max(fitting, key=lambda c: (signs_of(c.title) == signs, c.song.rank))
                    matches[values[key]] = best.song
                    break
        return self._take(songs, matches, values)

    def _is_another(self, key: Hashable, row: PlayRow, other: Candidate) -> bool:
        """Return whether ``other`` is another recording of that name, on another album and not nearly as long.

        Or one whose title ends in other signs: "What?" is not "What!".
        """
        signs, other_signs = signs_of(base_title(row.title)), signs_of(base_title(other.title))
        if signs and other_signs and signs != other_signs:
            self._contested.add(other.song.recording)
            return True
        length = self._lengths.get(key)
        if length is None or other.duration_ms is None or not differ_clearly(length, other.duration_ms):
            return False
        if not (row.album and other.album) or fold_name(row.album) == fold_name(other.album):
            return False
        self._contested.add(other.song.recording)
        return True

    def _look_up_spellings(self, songs: dict[Hashable, PlayRow]) -> dict[Hashable, PlayRow]:
        """Find songs whose artists the catalogue has under another spelling; return the others."""
        spelled = {
            key: [recording_key(row.title, name) for name in joined_spellings(row.title, row.artists)]
            for key, row in songs.items()
        }
        candidates = _candidates({value for values in spelled.values() for value in values})
        matches: dict[str, Found] = {}
        for number, (key, row) in enumerate(songs.items()):
            parts = parts_of(row.title, ", ".join(row.artists)) if spelled[key] else frozenset()
            fitting = [
                c.song
                for value in spelled[key]
                for c in candidates.get(value, ())
                if parts_of(c.title, c.artists) == parts and not self._is_another(key, row, c)
            ]
            if fitting:
                matches[str(number)] = max(fitting, key=lambda song: song.rank)
        return self._take(songs, matches, {key: str(number) for number, key in enumerate(songs)})

    def _look_up_nameless(self, songs: dict[Hashable, PlayRow]) -> None:
        ids = {key: row.spotify_id for key, row in songs.items()}
        for key in self._take(songs, _best(Track.objects.all(), "spotify_id", set(ids.values())), ids):
            self._known[key] = NAMELESS

    def _take(
        self, songs: dict[Hashable, PlayRow], matches: dict[str, Found], values: dict[Hashable, str]
    ) -> dict[Hashable, PlayRow]:
        """Remember the songs found under their values, and return the others."""
        left = {}
        for key, row in songs.items():
            song = matches.get(values.get(key, ""))
            if song is None:
                left[key] = row
            else:
                self._known[key] = song.pk if song.is_usable else HIDDEN
                self.recordings[song.pk] = song.recording
        return left

    def _create(self, songs: dict[Hashable, PlayRow], recordings: dict[Hashable, str]) -> None:
        groups, places = self._grouped(songs, recordings)
        if len(groups) > self.room:
            self.is_over = True
            self._known.update({key: UNKNOWN for key, number in places.items() if number >= self.room})
            groups, places = groups[: self.room], {key: n for key, n in places.items() if n < self.room}
        made = add_private_songs(
            [
                private_song(
                    spotify_id=row.spotify_id,
                    title=row.title,
                    artists=row.artists,
                    album=row.album,
                    isrc=row.isrc,
                    duration_ms=self._lengths.get(key),
                )
                for key, row in groups
            ]
        )
        # Those that share a name, but are on other albums and of other lengths, get keys of their own.
        part_recordings({recordings[key] for key, _row in groups} & self._contested)
        self._known.update({key: made[number] for key, number in places.items()})
        for batch in batches(made):
            self.recordings.update(fetch(Track.objects.filter(pk__in=batch), "pk", "recording_key"))
        self.made = made

    def _grouped(
        self, songs: dict[Hashable, PlayRow], recordings: dict[Hashable, str]
    ) -> tuple[list[tuple[Hashable, PlayRow]], dict[Hashable, int]]:
        """Return the songs to create, and which of them each of ``songs`` is.

        Two releases of one recording become one song, under the id that came first; so do two spellings of its artists.
        """
        groups: list[tuple[Hashable, PlayRow]] = []
        alike: dict[Hashable, list[int]] = {}
        places: dict[Hashable, int] = {}
        for key, row in songs.items():
            spelling = fold_name(base_title(row.title)), parts_of(row.title, ", ".join(row.artists))
            names = (recordings[key], spelling)
            known = [number for name in names for number in alike.get(name, ())]
            number = next((number for number in known if not self._are_two(key, row, *groups[number])), None)
            if number is None:
                number = len(groups)
                groups.append((key, row))
            elif key in self._lengths:
                self._lengths.setdefault(groups[number][0], self._lengths[key])
            for name in names:
                alike.setdefault(name, []).append(number)
            places[key] = number
        return groups, places

    def _are_two(self, key: Hashable, row: PlayRow, other_key: Hashable, other: PlayRow) -> bool:
        """Return whether two new songs of one name are two recordings, each with an id of its own if it has any."""
        new = Found(0, recording_key(row.title, row.artists[0]), True, (False, 0, 0))
        return self._is_another(key, row, Candidate(new, other.title, "", other.album, self._lengths.get(other_key)))


def song_key(row: PlayRow) -> Hashable:
    """Return the key by which a history identifies a song."""
    if not row.title:
        return (row.spotify_id,)
    return row.spotify_id or (row.title, row.artists[0], row.isrc, row.album, row.mbid)


def _artists_of(row: PlayRow) -> tuple[str, ...]:
    return artists_of(row.artists[0]) if len(row.artists) == 1 else row.artists


def _candidates(values: Iterable[str]) -> dict[str, list[Candidate]]:
    """Return the songs with each of those recording keys."""
    candidates: dict[str, list[Candidate]] = {}
    for batch in batches(sorted(values)):
        rows = fetch(Track.objects.filter(recording_key__in=batch), *_FIELDS, *_NAMES)
        for pk, recording, is_active, origin, popularity, *names in rows:
            song = _of_row(pk, recording, is_active, origin, popularity)
            candidates.setdefault(recording, []).append(Candidate(song, *names))
    return candidates


def _of_row(pk: int, recording: str, is_active: bool, origin: str, popularity: int | None) -> Found:
    # Shown songs first, then songs known only from histories; then by popularity, then by age.
    is_usable = bool(is_active) or origin == Track.Origin.PRIVATE
    return Found(pk, recording, is_usable, (bool(is_active), popularity or 0, -pk))


def _best(tracks: QuerySet[Track], field: str, values: Iterable[str], beside: str = "pk") -> dict[str, Found]:
    """Return the best song for each value of ``field``; for each value and folded ``beside``, where that is given."""
    best: dict[str, Found] = {}
    for batch in batches(sorted(values)):
        for pk, recording, is_active, origin, popularity, value, more in fetch(
            tracks.filter(**{f"{field}__in": batch}), *_FIELDS, field, beside
        ):
            song = _of_row(pk, recording, is_active, origin, popularity)
            key = value if beside == "pk" else f"{value}\n{fold(more)}"
            if key not in best or song.rank > best[key].rank:
                best[key] = song
    return best


def _by_code(scheme: TrackCode.Scheme, values: Set[str]) -> dict[str, Found]:
    """Return the best song for each code: those that have it as their first, else those that have it as a further."""
    best = _best(Track.objects.all(), scheme.value, values)
    for batch in batches(sorted(values - best.keys())):
        codes = TrackCode.objects.filter(scheme=scheme, value__in=batch)
        for value, *columns in fetch(codes, "value", *(f"track__{name}" for name in _FIELDS)):
            song = _of_row(*columns)
            if value not in best or song.rank > best[value].rank:
                best[value] = song
    return best
