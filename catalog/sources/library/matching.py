"""Matches a server's songs to the catalogue: by MusicBrainz id, by ISRC, then by title, artist and length."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from django.db.models import QuerySet

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
from catalog.importing.writing.merge import SAME_LENGTH_MS
from catalog.importing.writing.writer import batches
from catalog.models import Track, TrackCode
from catalog.sources.library.songs import SourceSong

# Servers report whole seconds, and releases differ by a few.
_LENGTH_MS = 7000
_JOINT = re.compile(
    r"[,;/&+\u2022\u00b7|]|\s-\s|\s[xX\u00d7]\s|\b(?:feat|ft|featuring|with|vs|and|und)\b\.?", re.IGNORECASE
)
_TRACK_NUMBER = re.compile(r"\d{1,3}(?:\s*[-.\u2013]\s*|\s+)(?=\D)")
_ARTICLE_FIRST = re.compile(r"(the|die|der|das|los|las|les|le|la)\s+(.+)", re.IGNORECASE)
_ARTICLE_LAST = re.compile(r"(.+),\s*(the|die|der|das|los|las|les|le|la)", re.IGNORECASE)
# A version with one of these is not heard as the song without: an instrumental has the very same length.
_VERSIONS = frozenset({
    "live", "acoustic", "remix", "instrumental", "karaoke", "demo", "unplugged", "reprise", "session", "cover",
    "sped", "slowed", "nightcore", "extended", "bootleg", "rework", "acapella", "cappella", "dub",
})  # fmt: skip


class Candidate(NamedTuple):
    """A candidate song of the catalogue."""

    pk: int
    title: str
    album: str
    duration_ms: int | None
    is_active: bool
    origin: str


_COLUMNS = Candidate._fields


def match_songs(songs: Sequence[SourceSong]) -> list[int | None]:
    """Return the id of the song of the catalogue that each of ``songs`` is, ``None`` for those it does not have."""
    matches: list[int | None] = [None] * len(songs)
    for scheme, column in ((TrackCode.Scheme.MBID, "mbid"), (TrackCode.Scheme.ISRC, "isrc")):
        codes = {number: _codes(songs[number], column) for number, pk in enumerate(matches) if pk is None}
        by_code = _by_code(scheme, column, {code for values in codes.values() for code in values})
        for number, values in codes.items():
            fitting = [c for code in values for c in by_code[code] if not _is_longer(songs[number], c)]
            matches[number] = _best(songs[number], fitting)
    left = {number: list(recording_keys(songs[number])) for number, pk in enumerate(matches) if pk is None}
    by_key = _by_key({key for keys in left.values() for key in keys})
    for number, keys in left.items():
        song = songs[number]
        best = (_best(song, [c for c in by_key[key] if is_one(song, c)]) for key in keys)
        matches[number] = next((pk for pk in best if pk is not None), None)
    return matches


def recording_keys(song: SourceSong) -> Iterator[str]:
    """Yield the keys under which the catalogue may know the song, the likeliest first."""
    titles = [song.title]
    if bare := _TRACK_NUMBER.sub("", song.title, count=1) if _TRACK_NUMBER.match(song.title) else "":
        titles.append(bare)
    for title in titles:
        for artist in artist_ladder(song.artists):
            if song.album:
                yield own_recording_key(title, artist, song.album)
            yield told_recording_key(title, artist)
            yield recording_key(title, artist)


def artist_ladder(artists: Sequence[str]) -> list[str]:
    """Return the ways in which the catalogue may write the first artist, the likeliest first."""
    if not artists:
        return []
    names = [artists[0]]
    if len(artists) > 1:
        names += [", ".join(artists), " & ".join(artists)]
    if len(parts := [part for part in map(str.strip, _JOINT.split(artists[0])) if part]) > 1:
        names.append(parts[0])
    for name in list(names):
        if match := _ARTICLE_FIRST.fullmatch(name):
            names += [match[2], f"{match[2]}, {match[1]}"]
        elif match := _ARTICLE_LAST.fullmatch(name):
            names += [f"{match[2]} {match[1]}", match[1]]
    return list(dict.fromkeys(names))


def is_one(song: SourceSong, other: Candidate) -> bool:
    """Return whether two songs of one recording key are one: the same version, of about the same length."""
    if _version_words(song.title) != _version_words(other.title):
        return False
    signs, other_signs = signs_of(base_title(song.title)), signs_of(base_title(other.title))
    if signs and other_signs and signs != other_signs:
        return False
    if song.duration_ms is None or other.duration_ms is None:
        return True
    # The lengths of a server's own songs are known, and every album has an "Intro".
    is_exact = other.origin == Track.Origin.SERVER and fold_name(song.album) != fold_name(other.album)
    return abs(song.duration_ms - other.duration_ms) <= (SAME_LENGTH_MS if is_exact else _LENGTH_MS)


@lru_cache(maxsize=20_000)
def _version_words(title: str) -> frozenset[str]:
    base = base_title(title)
    return frozenset() if base == title else _VERSIONS.intersection(fold(title[len(base) :] or title).split())


def _best(song: SourceSong, candidates: Sequence[Candidate]) -> int | None:
    def distance(other: Candidate) -> tuple[bool, bool, int, int]:
        known = song.duration_ms is not None and other.duration_ms is not None
        apart = abs((song.duration_ms or 0) - (other.duration_ms or 0)) if known else _LENGTH_MS
        return not other.is_active, fold_name(song.title) != fold_name(other.title), apart, other.pk

    return min(candidates, key=distance).pk if candidates else None


def _is_longer(song: SourceSong, other: Candidate) -> bool:
    """Return whether a code is wrong: the two songs are clearly not of one length."""
    if song.duration_ms is None or other.duration_ms is None:
        return False
    return differ_clearly(song.duration_ms, other.duration_ms)


def _codes(song: SourceSong, column: str) -> tuple[str, ...]:
    return song.isrcs if column == "isrc" else tuple(filter(None, [song.mbid]))


def _by_code(scheme: str, column: str, codes: Iterable[str]) -> defaultdict[str, list[Candidate]]:
    candidates: defaultdict[str, list[Candidate]] = defaultdict(list)
    for batch in batches(sorted(codes)):
        _add(candidates, Track.objects.filter(**{f"{column}__in": batch}), column)
        _add(candidates, Track.objects.filter(codes__scheme=scheme, codes__value__in=batch), "codes__value")
    return candidates


def _by_key(keys: Iterable[str]) -> defaultdict[str, list[Candidate]]:
    candidates: defaultdict[str, list[Candidate]] = defaultdict(list)
    for batch in batches(sorted(keys)):
        _add(candidates, Track.objects.filter(recording_key__in=batch), "recording_key")
    return candidates


def _add(candidates: defaultdict[str, list[Candidate]], tracks: QuerySet[Track], column: str) -> None:
    for code, *values in tracks.order_by().values_list(column, *_COLUMNS):
        candidates[code].append(Candidate(*values))
