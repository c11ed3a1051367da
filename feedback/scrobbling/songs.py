"""Matches players' names of songs to the catalogue; the result is stored per listener and name."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from django.db.models import F

from accounts.models import User
from catalog.identity.text import fold
from catalog.importing.writing.writer import batches
from catalog.models import Track
from feedback.history_import.matching import HIDDEN, Matcher
from feedback.history_import.reading.rows import COMPLETED, PlayRow
from feedback.history_import.writing import digest
from feedback.scrobbling.models import ScrobbledSong
from feedback.scrobbling.reported import ReportedListen
from feedback.scrobbling.settling import settle_waiting

_TRACK_NUMBER = re.compile(r"\d{1,3}(?:\s*[.\-\u2013_]\s*|\s+-\s+)(?=\S)")
_BULLET = re.compile(r"(?<=\s)[\u2022\u00b7](?=\s)")
_ARTICLE = re.compile(r"(.+), (the)", re.IGNORECASE)
# Maximum difference in length if the name was matched loosely.
_SAME_MS = 7_000


def songs_of(user: User, heard: Sequence[ReportedListen]) -> list[ScrobbledSong | None]:
    """Return the song of each listen, made where its name is new; ``None`` for one that the operator hid.

    Call it within a transaction that holds the listener.
    """
    marks = [song_digest(item) for item in heard]
    songs = _stored(user, set(marks))
    by_hand = _by_hand(user, {name_digest(item) for item, mark in zip(heard, marks, strict=True) if mark not in songs})
    new: dict[int, ScrobbledSong] = {}
    for item, mark in zip(heard, marks, strict=True):
        if mark not in songs and mark not in new:
            new[mark] = _song(user, item, mark, by_hand)
    items = dict(zip(reversed(marks), reversed(heard), strict=True))
    open_songs = {mark: song for mark, song in {**songs, **new}.items() if song.track_id is None}
    matched = match_names([items[mark] for mark in open_songs])
    hidden = {mark for mark, pk in zip(open_songs, matched, strict=True) if pk == HIDDEN}
    for song, pk in zip(open_songs.values(), matched, strict=True):
        song.track_id = pk if pk > 0 else None
    changed = [song for mark, song in open_songs.items() if song.track_id is not None and mark in songs]
    if changed:
        ScrobbledSong.objects.bulk_update(changed, ["track"], batch_size=500)
        settle_waiting(user, [song.pk for song in changed])
    ScrobbledSong.objects.bulk_create([song for mark, song in new.items() if mark not in hidden], batch_size=500)
    songs |= _stored(user, set(new) - hidden | {song.digest for song in changed})
    hidden |= _hidden_marks(songs)
    return [None if mark in hidden else songs[mark] for mark in marks]


def match_names(heard: Sequence[ReportedListen]) -> list[int]:
    """Return the song of the catalogue that each name means: its id, ``UNKNOWN`` or ``HIDDEN``."""
    named = [item for item in heard if item.track_id is None]
    by_name = iter(_match_by_name(named))
    return [next(by_name) if item.track_id is None else item.track_id for item in heard]


def _match_by_name(heard: Sequence[ReportedListen]) -> list[int]:
    matcher = Matcher(creates=False)
    pks = matcher.match([_row(item) for item in heard]) if heard else []
    others = [(number, way) for number, pk in enumerate(pks) if pk == 0 for way in _other_ways(heard[number])]
    if not others:
        return pks
    matches = matcher.match([_row(way) for _number, way in others])
    lengths = _lengths({pk for pk in matches if pk > 0})
    for (number, way), pk in zip(others, matches, strict=True):
        length = lengths.get(pk)
        is_near = way.duration_ms is None or length is None or abs(length - way.duration_ms) <= _SAME_MS
        if pks[number] == 0 and pk != 0 and is_near:
            pks[number] = pk
    return pks


def song_digest(heard: ReportedListen) -> int:
    """Return the digest of title, artist and album."""
    return digest(f"{fold(heard.title)}\n{fold(heard.artist)}\n{fold(heard.album)}")


def name_digest(heard: ReportedListen) -> int:
    """Return the digest of title and artist."""
    return digest(f"{fold(heard.title)}\n{fold(heard.artist)}")


def _song(user: User, heard: ReportedListen, mark: int, by_hand: dict[int, int]) -> ScrobbledSong:
    name = name_digest(heard)
    return ScrobbledSong(
        user=user,
        digest=mark,
        name_digest=name,
        title=heard.title,
        artist=heard.artist,
        album=heard.album,
        mbid=heard.mbid,
        duration_ms=heard.duration_ms,
        track_id=by_hand.get(name),
        is_by_hand=name in by_hand,
    )


def _stored(user: User, marks: set[int]) -> dict[int, ScrobbledSong]:
    songs: dict[int, ScrobbledSong] = {}
    for batch in batches(sorted(marks)):
        rows = ScrobbledSong.objects.select_related("track").filter(user=user, digest__in=batch)
        songs.update({song.digest: song for song in rows})
    return songs


def _by_hand(user: User, names: set[int]) -> dict[int, int]:
    """Return the songs that the listener chose for names, whichever album is told."""
    chosen: dict[int, int] = {}
    for batch in batches(sorted(names)):
        rows = ScrobbledSong.objects.filter(user=user, name_digest__in=batch, is_by_hand=True, track__isnull=False)
        chosen.update(rows.values_list("name_digest", F("track_id")))
    return chosen


def _hidden_marks(songs: dict[int, ScrobbledSong]) -> set[int]:
    return {
        mark
        for mark, song in songs.items()
        if song.track is not None and not song.track.is_active and song.track.origin != Track.Origin.PRIVATE
    }


def _lengths(pks: set[int]) -> dict[int, int | None]:
    lengths: dict[int, int | None] = {}
    for batch in batches(sorted(pks)):
        lengths.update(Track.objects.filter(pk__in=batch).values_list("pk", "duration_ms"))
    return lengths


def _row(heard: ReportedListen) -> PlayRow:
    return PlayRow(
        heard.at or 0, "", heard.spotify_id, heard.isrc, heard.title, heard.artists, heard.album, "", heard.duration_ms,
        COMPLETED, True, "listenbrainz", mbid=heard.mbid,
    )  # fmt: skip


def _other_ways(heard: ReportedListen) -> Iterator[ReportedListen]:
    """Yield spelling variants of the song: without its track number, with artists separated, with an article."""
    title = _TRACK_NUMBER.sub("", heard.title, count=1) if _TRACK_NUMBER.match(heard.title) else heard.title
    first = heard.artists[0]
    parted = tuple(filter(None, (part.strip() for part in _BULLET.split(first))))
    names = [heard.artists] + ([(*parted, *heard.artists[1:])] if len(parted) > 1 else [])
    if match := _ARTICLE.fullmatch(first):
        names.append((f"{match[2]} {match[1]}", *heard.artists[1:]))
    elif first.lower().startswith("the "):
        names.append((first[4:], *heard.artists[1:]))
    else:
        names.append((f"The {first}", *heard.artists[1:]))
    for artists in names:
        if (title, artists) != (heard.title, heard.artists):
            yield replace(heard, title=title, artists=artists)
