"""Writes plays in chunks, each in one transaction with the counts, so that both agree after a kill at any moment."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

from django.db import connection
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_noop

from catalog.identity.nobody import NO_NAME, is_no_album, is_no_artist
from catalog.identity.text import fold
from catalog.importing.reading.lists import unescaped
from catalog.importing.writing.writer import batches, insert_new
from catalog.models import Track
from feedback.history_import.capacity import room_for_imported_plays, room_for_own_songs
from feedback.history_import.matching import HIDDEN, NAMELESS, UNKNOWN, Matcher
from feedback.history_import.models import HistoryImport, UnmatchedSong
from feedback.history_import.notes import FULL_SONGS
from feedback.history_import.reading.rows import LISTENBRAINZ_SPOTIFY, MINUTES, NO_ROOM, NO_SONG, NO_TIME, PlayRow, Row
from feedback.plays.doubles import take_out
from feedback.plays.identity import DAILY, PAUSING, Listen, at_one_time, nearest, note_pauses, pair, told_by_others
from feedback.plays.listens import StoredListen, complete_plays, names_of, stored_digests, stored_listens
from feedback.plays.models import Play
from feedback.plays.spellings import are_one_song
from feedback.source import Source
from jobs.races import retry_conflicts
from jobs.running import JobLostError

IS_HIDDEN = gettext_noop("is hidden on this site")
# Plays before this time, or in the future, are implausible.
EARLIEST = int(datetime(1995, 1, 1, tzinfo=UTC).timestamp())
_EPOCH = datetime(1970, 1, 1)
# Asking an enumeration takes long for each of a million plays.
_SPOTIFY, _HISTORY = Source.SPOTIFY.value, Source.HISTORY.value
# Listings in which two plays of a song may have the same second.
_NOT_TO_THE_SECOND = frozenset({"spotify-year", "exportify", "apple", DAILY})
# Listings that are told apart by their times alone.
_SAME_KINDS = {DAILY: "apple", LISTENBRAINZ_SPOTIFY: "listenbrainz"}
# Part of the key of a Spotify play that was not offline.
_LINES_OF_KEY = 2
MAX_UNMATCHED = 100_000
MAX_MS = 2**31 - 1
_COLUMNS = (
    "user_id", "track_id", "played_at", "ms_played", "outcome", "source", "is_counted", "digest", "listing",
    "history_import_id",
)  # fmt: skip


@dataclass(slots=True)
class _New:
    """A play of the file whose song is known: a row to insert, unless it turns out to be there."""

    row: PlayRow
    track: int
    digest: int


class PlayWriter:
    """Writes the plays of one import."""

    def __init__(self, history: HistoryImport, matcher: Matcher) -> None:
        self._history = history
        self._matcher = matcher
        self._latest = int(timezone.now().timestamp()) + 86_400

    def write(self, rows: Sequence[Row]) -> None:
        """Write the next ``rows`` of the file and count them. Raise ``JobLostError`` where another worker did."""
        # If another process created some of these songs meanwhile, the retry finds them.
        reasons = retry_conflicts(lambda: self._write(rows), reset=self._matcher.forget)
        self._history.position += len(rows)
        self._history.skipped = reasons

    def _write(self, rows: Sequence[Row]) -> dict[str, int]:
        skipped: Counter[str] = Counter()
        plays = []
        for row in rows:
            if isinstance(row, str):
                skipped[row] += 1
            elif not EARLIEST <= row.at <= self._latest:
                skipped[NO_TIME] += 1
            else:
                plays.append(row)
        number_read = len(plays)
        plays = [_named(_clean(row)) for row in plays]
        plays = [row for row in plays if row.artists or row.spotify_id]
        skipped.update({NO_SONG: number} if (number := number_read - len(plays)) else {})
        self._matcher.room = room_for_own_songs(self._history.user)
        pks = self._matcher.match(plays)
        for reason, mark in ((IS_HIDDEN, HIDDEN), (NO_SONG, NAMELESS)):
            if number := pks.count(mark):
                skipped[reason] += number
        matched = [(row, pk) for row, pk in zip(plays, pks, strict=True) if pk > 0]
        unmatched = [row for row, pk in zip(plays, pks, strict=True) if pk == UNKNOWN]
        new, elsewhere = self._news(matched)
        new, over = self._that_fit(new)
        if over:
            skipped[NO_ROOM] += over
        added = self._insert(new)
        self._forget_unused({play.track for play in new})
        self._set_aside(unmatched)
        known = len(matched) - added - over
        return self._count(len(rows), (added, known, min(elsewhere, known), len(unmatched)), skipped)

    def _that_fit(self, plays: list[_New]) -> tuple[list[_New], int]:
        """Return those plays for which there is room, in the order of the file, and for how many there is none."""
        room = room_for_imported_plays(self._history.user) if plays else 0
        return plays[:room], max(0, len(plays) - room)

    def _news(self, matched: Sequence[tuple[PlayRow, int]]) -> tuple[list[_New], int]:
        """Return the plays that are not stored yet, and how many of the others are stored from another source."""
        if not matched:
            return [], 0
        times = [row.at for row, _pk in matched]
        marks = [digest(f"{_kind_of(row.listing)}\n{row.key}") for row, _pk in matched]
        if stored_digests(self._history.user_id, min(times), max(times)).issuperset(marks):
            # The file was imported before.
            return [], 0
        stored = stored_listens(self._history.user_id, min(times), max(times))
        by_digest = {listen.digest: listen for listen in stored if listen.digest is not None}
        groups: dict[str, list[_New]] = defaultdict(list)
        seen: set[int] = set()
        new = []
        for (row, pk), mark in zip(matched, marks, strict=True):
            if mark in by_digest:
                by_digest[mark].is_taken = True
            elif mark not in seen:
                new.append(_New(row, pk, mark))
            seen.add(mark)
        for play in self._without_same(new, stored):
            groups[play.row.listing].append(play)
        return self._apart(groups, stored)

    def _without_same(self, plays: list[_New], stored: list[StoredListen]) -> Iterator[_New]:
        """Yield the plays that no other export of the same service told, with another spelling or id of the song."""
        same: dict[tuple[Any, ...], list[StoredListen]] = defaultdict(list)
        here: set[tuple[Any, ...]] = set()
        for listen in stored:
            key = listen.listing, listen.at, listen.ms, listen.recording
            if listen.import_id == self._history.pk:
                here.add(key)
            elif not listen.is_taken and listen.import_id is not None:
                same[key].append(listen)
        for play in plays:
            row = play.row
            key = row.listing, row.at, row.ms_played, self._matcher.recordings[play.track]
            others = same.get(key)
            if others and row.listing not in _NOT_TO_THE_SECOND and not row.listing.endswith(MINUTES):
                others.pop().is_taken = True
            elif key not in here or not _ends_alone(row):
                here.add(key)
                yield play

    def _apart(self, groups: dict[str, list[_New]], stored: list[StoredListen]) -> tuple[list[_New], int]:
        """Remove plays that ``stored`` plays, or another listing of this file, already record."""
        recordings = self._matcher.recordings
        remaining: list[_New] = []
        dropped: set[int] = set()
        removed: dict[int, int] = {}
        completed: list[tuple[StoredListen, _New]] = []
        fresh: list[Listen] = []
        elsewhere = 0
        ends = [new.row.at for new in groups.get(PAUSING, ())]
        ends += [listen.at for listen in stored if listen.listing == PAUSING]
        note_pauses(stored, ends)
        stored = [listen for listen in stored if not listen.is_taken]
        for listing, group in groups.items():
            known = [
                *(listen for listen in stored if listen.listing != listing and listen.number not in removed),
                *(listen for listen in fresh if listen.number not in dropped),
            ]
            listens = {
                number: _listen(new.row, recordings[new.track], number)
                for number, new in enumerate(group if known else ())
            }
            note_pauses(listens.values(), ends)
            pairs = pair(listens.values(), known)
            tracks = {number: new.track for number, new in enumerate(group)}
            pairs |= self._spelled_otherwise(listens, known, pairs, (tracks, remaining))
            more = told_by_others(listens.values(), known, pairs)
            for number, new in enumerate(group):
                other = pairs.get(number)
                if other is None:
                    if len(groups) > 1:
                        fresh.append(_listen(new.row, recordings[new.track], len(remaining)))
                    remaining.append(new)
                    continue
                for double in more.get(number, ()):
                    # What a play in the database tells stays to be put back; one of this file is not written at all.
                    if not isinstance(double, StoredListen):
                        dropped.update({double.number} if remaining[double.number].row.is_counted else ())
                    elif isinstance(other, StoredListen) and double.source == Source.HISTORY and double.is_counted:
                        removed[double.number] = other.number
                elsewhere += other.family != listing.removesuffix(MINUTES)
                if isinstance(other, StoredListen):
                    completed.append((other, new))
                elif listens[number].rank > other.rank:
                    remaining[other.number] = _New(
                        _completed(new.row, remaining[other.number].row), new.track, new.digest
                    )
                else:
                    earlier = remaining[other.number]
                    earlier.row = _completed(earlier.row, new.row)
        complete_plays(
            [
                (other, _listen(new.row, "", 0), new.row.outcome, new.row.is_counted, new.digest)
                for other, new in completed
            ]
        )
        take_out(self._history.user_id, removed)
        return [new for number, new in enumerate(remaining) if number not in dropped], elsewhere

    def _spelled_otherwise(
        self,
        listens: Mapping[int, Listen],
        known: Sequence[Listen],
        pairs: Mapping[int, Listen],
        songs: tuple[Mapping[int, int], Sequence[_New]],
    ) -> dict[int, Listen]:
        """Return which of the listens that are not in ``pairs`` others told at that time under another spelling.

        ``songs``: the tracks of ``listens``, and the plays of this file that are kept so far.
        """
        paired = set(map(id, pairs.values()))
        left = [listen for listen in known if id(listen) not in paired]
        near = at_one_time([listen for number, listen in listens.items() if number not in pairs], left) if left else []
        if not near:
            return {}
        tracks, remaining = songs

        def track_of(listen: Listen) -> int:
            return listen.track_id if isinstance(listen, StoredListen) else remaining[listen.number].track

        names = names_of({tracks[new.number] for _, new, _ in near} | {track_of(other) for *_, other in near})
        return nearest(
            (apart, new, other)
            for apart, new, other in near
            if are_one_song(*names[tracks[new.number]], *names[track_of(other)])
        )

    def _insert(self, plays: Sequence[_New]) -> int:
        """Insert the plays, and return how many they were: others may have been written meanwhile."""
        user, import_id = self._history.user_id, self._history.pk
        # Times are told in UTC, as text but to PostgreSQL: Django's own way there takes longer than all else here.
        zone = UTC if connection.vendor == "postgresql" else None
        epoch = _EPOCH.replace(tzinfo=zone)
        adapt = (lambda moment: moment) if zone else str
        values = [
            (
                user,
                new.track,
                adapt(epoch + timedelta(seconds=new.row.at)),
                new.row.ms_played,
                new.row.outcome,
                _source(new.row),
                new.row.is_counted,
                new.digest,
                new.row.listing,
                import_id,
            )
            for new in plays
        ]
        return insert_new(Play, _COLUMNS, values)

    def _forget_unused(self, tracks: set[int]) -> None:
        """Delete songs created for plays that turned out to be told already, of a song spelled otherwise."""
        unused = set(self._matcher.made) - tracks
        if unused:
            Track.objects.filter(pk__in=unused, origin=Track.Origin.PRIVATE).delete()
            self._matcher.drop(unused)

    def _count(self, read: int, counts: tuple[int, int, int, int], skipped: "Counter[str]") -> dict[str, int]:
        added, known, elsewhere, unmatched = counts
        history = self._history
        position = history.position
        reasons = dict(Counter(history.skipped) + skipped)
        # Only from the place where this worker left it: another may have gone on meanwhile.
        same = HistoryImport.objects.filter(pk=history.pk, position=position)
        if not same.update(
            position=position + read,
            plays_added=F("plays_added") + added,
            plays_known=F("plays_known") + known,
            plays_known_elsewhere=F("plays_known_elsewhere") + elsewhere,
            plays_unmatched=F("plays_unmatched") + unmatched,
            plays_skipped=F("plays_skipped") + skipped.total(),
            songs_created=F("songs_created") + len(self._matcher.made),
            skipped=reasons,
            notes=self._notes(),
        ):
            raise JobLostError
        return reasons

    def _notes(self) -> list[Any] | None:
        """Return the import's notes, with one where a cap let no more songs be added."""
        notes, full = self._history.notes, [FULL_SONGS, self._history.name]
        if self._matcher.is_over and full not in (notes or []):
            self._history.notes = notes = [*(notes or []), full]
        return notes

    def _set_aside(self, rows: Sequence[PlayRow]) -> None:
        if not rows:
            return
        songs: dict[int, PlayRow] = {}
        plays: Counter[int] = Counter()
        for row in rows:
            key = digest(f"{fold(row.title)}\n{fold(row.artists[0])}")
            songs.setdefault(key, row)
            plays[key] += 1
        stored = UnmatchedSong.objects.filter(history_import=self._history)
        known: dict[int, int] = {}
        for batch in batches(songs):
            known.update(stored.filter(digest__in=batch).values_list("digest", "pk"))
        for key, pk in known.items():
            stored.filter(pk=pk).update(plays=F("plays") + plays[key])
        # Of all the listener's imports together.
        room = MAX_UNMATCHED - UnmatchedSong.objects.filter(history_import__user=self._history.user_id).count()
        new = [key for key in songs if key not in known][: max(0, room)]
        UnmatchedSong.objects.bulk_create([self._aside(key, songs[key], plays[key]) for key in new], batch_size=500)

    def _aside(self, key: int, row: PlayRow, plays: int) -> UnmatchedSong:
        return UnmatchedSong(
            history_import=self._history,
            digest=key,
            title=row.title[:500],
            artist=", ".join(row.artists)[:300],
            album=row.album[:500],
            uri=row.uri[:200],
            plays=plays,
        )


def _kind_of(listing: str) -> str:
    """Return the name under which plays of a listing are known, however their times are told."""
    return _SAME_KINDS.get(listing) or listing.removesuffix(MINUTES)


def _listen(row: PlayRow, recording: str, number: int) -> Listen:
    return Listen(recording, row.at, row.ms_played, row.listing, number)


def _completed(row: PlayRow, other: PlayRow) -> PlayRow:
    """Return ``row`` with what only the poorer ``other`` tells."""
    ms = row.ms_played if row.ms_played is not None else other.ms_played
    return row._replace(ms_played=ms, is_counted=row.is_counted and other.is_counted)


def _ends_alone(row: PlayRow) -> bool:
    """Return whether no other play can have ended at that second: of what was heard offline several may be told so."""
    return row.listing == "spotify" and row.key.count("\n") == _LINES_OF_KEY


def _source(row: PlayRow) -> str:
    return _SPOTIFY if row.listing == "own-spotify" else _HISTORY


def digest(text: str) -> int:
    """Return 64 bits that stand for ``text``: of a million plays, two are alike once in 40 million listeners."""
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big", signed=True)


def _clean(row: PlayRow) -> PlayRow:
    """Return the play without HTML entities and signs that databases refuse: NUL, and halves of pairs of JSON's."""
    if "&" in row.title or "&" in row.album or any("&" in name for name in row.artists):
        artists = tuple(unescaped(name) for name in row.artists)
        row = row._replace(title=unescaped(row.title), artists=artists, album=unescaped(row.album))
    if row.title.isascii() and row.album.isascii() and "".join(row.artists).isascii() and "\0" not in row.title:
        ms = row.ms_played
        return row if ms is None or ms <= MAX_MS else row._replace(ms_played=MAX_MS)
    return row._replace(
        title=_sound(row.title) if row.title else "",
        album=_sound(row.album),
        artists=tuple(_sound(name) for name in row.artists),
        uri=_sound(row.uri),
        ms_played=None if row.ms_played is None else min(row.ms_played, MAX_MS),
    )


def _named(row: PlayRow) -> PlayRow:
    """Return the play without names that only say that there is none; without an artist its id alone tells the song."""
    if row.album and is_no_album(row.album):
        row = row._replace(album="")
    if row.title in NO_NAME:
        return row._replace(title="", artists=())
    if not any(map(is_no_artist, row.artists)):
        return row
    artists = tuple(name for name in row.artists if not is_no_artist(name))
    return row._replace(artists=artists, title=row.title if artists else "")


def _sound(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\0", "").strip() or "?"
