"""Writing plays, a chunk in a transaction: with the counts, so that killed at any moment both agree."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import blake2b

from django.db import IntegrityError, connection
from django.db.models import F
from django.utils import timezone

from catalog.importing.writer import batches, insert_new
from catalog.text import fold
from feedback.history_import.formats import NO_TIME, PlayRow, Row
from feedback.history_import.matching import HIDDEN, UNKNOWN, Matcher
from feedback.history_models import HistoryImport, UnmatchedSong
from feedback.models import Play, Source
from jobs.races import racing
from jobs.running import JobLostError

IS_HIDDEN = "is hidden on this site"
# Sound recordings of one's own are younger than this, and the future has not been heard yet.
EARLIEST = int(datetime(1995, 1, 1, tzinfo=UTC).timestamp())
MAX_UNMATCHED = 100_000
MAX_MS = 2**31 - 1
_TRIES = 3
_COLUMNS = (
    "user_id", "track_id", "played_at", "ms_played", "outcome", "source", "is_counted", "digest", "history_import_id",
)  # fmt: skip


class Writer:
    """Writes the plays of one import."""

    def __init__(self, history: HistoryImport, matcher: Matcher) -> None:
        self._history = history
        self._matcher = matcher
        self._latest = int(timezone.now().timestamp()) + 86_400

    def write(self, rows: Sequence[Row]) -> None:
        """Write the next ``rows`` of the file and count them. Raises ``JobLostError`` where another worker did."""
        for tries_left in reversed(range(_TRIES)):
            try:
                with racing():
                    reasons = self._write(rows)
                self._history.position += len(rows)
                self._history.skipped = reasons
                return
            except IntegrityError:
                # Somebody else created some of these songs meanwhile; the next look finds it.
                self._matcher.forget()
                if not tries_left:
                    raise
            except BaseException:
                self._matcher.forget()
                raise

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
        plays = [_clean(row) for row in plays]
        pks = self._matcher.match(plays)
        if hidden := pks.count(HIDDEN):
            skipped[IS_HIDDEN] += hidden
        matched = [(row, pk) for row, pk in zip(plays, pks, strict=True) if pk > 0]
        unmatched = [row for row, pk in zip(plays, pks, strict=True) if pk == UNKNOWN]
        added = self._insert(matched)
        self._set_aside(unmatched)
        return self._count(len(rows), added, len(matched) - added, len(unmatched), skipped)

    def _insert(self, matched: Sequence[tuple[PlayRow, int]]) -> int:
        """Insert the plays that are not there yet, and return how many they were."""
        adapt, user, import_id = connection.ops.adapt_datetimefield_value, self._history.user_id, self._history.pk
        source, label = Source.HISTORY.value, self._history.format
        values = [
            (
                user, pk, adapt(datetime.fromtimestamp(row.at, UTC)), row.ms_played, row.outcome, source,
                row.is_counted, digest(f"{label}\n{row.key}"), import_id,
            )
            for row, pk in matched
        ]  # fmt: skip
        return insert_new(Play, _COLUMNS, values)

    def _count(self, read: int, added: int, known: int, unmatched: int, skipped: "Counter[str]") -> dict[str, int]:
        history = self._history
        position = history.position
        reasons = dict(Counter(history.skipped) + skipped)
        # Only from the place where this worker left it: another may have gone on meanwhile.
        same = HistoryImport.objects.filter(pk=history.pk, position=position)
        if not same.update(
            position=position + read,
            plays_added=F("plays_added") + added,
            plays_known=F("plays_known") + known,
            plays_unmatched=F("plays_unmatched") + unmatched,
            plays_skipped=F("plays_skipped") + skipped.total(),
            songs_created=F("songs_created") + self._matcher.created,
            skipped=reasons,
        ):
            raise JobLostError
        return reasons

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
        room = MAX_UNMATCHED - stored.count()
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


def digest(text: str) -> int:
    """Return 64 bits that stand for ``text``: of a million plays, two are alike once in 40 million listeners."""
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big", signed=True)


def _clean(row: PlayRow) -> PlayRow:
    """Return the play without signs that databases refuse: NUL, and halves of pairs that JSON can hold."""
    if row.title.isascii() and row.album.isascii() and row.artists[0].isascii() and "\0" not in row.title:
        ms = row.ms_played
        return row if ms is None or ms <= MAX_MS else row._replace(ms_played=MAX_MS)
    return row._replace(
        title=_sound(row.title),
        album=_sound(row.album),
        artists=tuple(_sound(name) for name in row.artists),
        uri=_sound(row.uri),
        ms_played=None if row.ms_played is None else min(row.ms_played, MAX_MS),
    )


def _sound(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\0", "").strip() or "?"
