"""The import of an uploaded history as work in the background, and its undoing."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import reset_queries, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from catalog.models import Track, TrackArtist
from feedback.history_import.models import HistoryImport
from feedback.web.feed_cache import invalidate_feed
from jobs.registry import Kind, Run

if TYPE_CHECKING:
    from feedback.history_import.reading.formats import Format
    from feedback.history_import.reading.rows import Row
    from feedback.history_import.reading.source import History, Member

    Part = tuple[Member, Format, str]

CHUNK_ROWS = 5000
# Unread members of a zip are listed, except files that cannot be a history.
NO_HISTORIES = (".pdf", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".ico", ".css", ".js", ".mp3", ".m4a", ".mp4")
ARCHIVES = (".zip", ".gz", ".7z", ".rar", ".tar", ".tgz", ".bz2", ".xz")
MAX_NOTES = 20
IMPORT, UNDO = "history-import", "history-undo"
_UNKNOWN_FORMAT = gettext_noop(
    "%(file)s isn't a listening history we can read. We support Spotify, Last.fm, ListenBrainz, Maloja, "
    "YouTube Music, Apple Music, Tidal, Deezer, Exportify, Rockbox, tables with artist, track and date, and this "
    "site's own files."
)
_PACKED_TWICE = gettext_noop(
    "%(file)s contains another archive and no listening history beside it. Unpack it first and upload what is inside."
)
# The reason is translated on its own.
_NOTHING_USED = gettext_noop(
    "None of the %(total)d records in %(file)s can be used. The reason for %(number)d of them: %(reason)s."
)


def _import(run: Run) -> str:
    from feedback.history_import.reading.source import HistoryError
    from jobs.running import JobFailedError

    history = HistoryImport.objects.filter(pk=run.job.arguments["import"]).first()
    if history is None or history.finished_at is not None:
        return "nothing left to do"
    try:
        if not _read_all(run, history):
            return "waiting for an answer about day and month"
    except HistoryError as error:
        _take_back(run, history)
        history.unmatched.all().delete()
        HistoryImport.objects.filter(pk=history.pk).update(**_NOTHING, error=error.pattern, error_values=error.values)
        _finish(history)
        raise JobFailedError(f"{error} Nothing was imported.") from error
    _finish(history)
    history.refresh_from_db()
    return (
        f"{history.plays_added:,} plays added, {history.plays_known:,} already there, {history.plays_skipped:,} skipped"
    )


_NOTHING = {
    "position": 0,
    "plays_added": 0,
    "plays_known": 0,
    "plays_known_elsewhere": 0,
    "plays_unmatched": 0,
    "plays_skipped": 0,
    "songs_created": 0,
    "skipped": {},
}


def _read_all(run: Run, history: HistoryImport) -> bool:
    """Read the whole upload; return False where the listener has to be asked something first."""
    from feedback.history_import.reading.source import History, HistoryError

    try:
        stored = history.file.open("rb")
    except (FileNotFoundError, ValueError) as error:
        raise HistoryError(
            gettext_noop("%(file)s is missing on the server. Please upload it again."), file=history.name
        ) from error
    with closing(stored) as file:
        opened = History(file.file, history.name)
        histories = _recognise(run, history, opened)
        orders = _date_orders(history, histories)
        if history.question:
            return False
        opened.read = 0
        _write_all(run, history, opened, [(member, kind, orders[member.name]) for member, kind in histories])
    return True


def _write_all(run: Run, history: HistoryImport, opened: "History", histories: "Sequence[Part]") -> None:
    from feedback.history_import.matching import Matcher
    from feedback.history_import.reading.source import HistoryError
    from feedback.history_import.writing import PlayWriter

    writer = PlayWriter(history, Matcher(creates=history.wants_own_songs))
    rows = _all_rows(histories, _zone_of(history))
    begun = monotonic()
    done = sum(1 for _row in islice(rows, history.position))
    if done < history.position:
        raise HistoryError(
            gettext_noop("%(file)s has changed since the import started. Please upload it again."), file=history.name
        )
    total = max(1, sum(member.size for member, _kind, _order in histories))
    run.report(f"{history.position:,}", opened.read / total)
    went_on = monotonic()
    while chunk := list(islice(rows, CHUNK_ROWS)):
        writer.write(chunk)
        # With DEBUG on, Django keeps every statement.
        reset_queries()
        run.report(f"{history.position:,}", opened.read / total)
        # The next turn reads the file again up to here, which must not take longer than the turn's own work.
        if monotonic() - went_on >= went_on - begun:
            run.give_way()
    if not history.position:
        raise HistoryError(gettext_noop("%(file)s contains no plays."), file=history.name)
    _refuse_useless(history)


def _refuse_useless(history: HistoryImport) -> None:
    """Raise ``HistoryError`` where no record of the file could be used."""
    from feedback.history_import.reading.source import HistoryError
    from feedback.history_import.writing import IS_HIDDEN

    history.refresh_from_db()
    if history.plays_skipped < history.position or IS_HIDDEN in history.skipped:
        return
    reason, number = max(history.skipped.items(), key=lambda item: (item[1], item[0]))
    raise HistoryError(_NOTHING_USED, file=history.name, total=history.position, number=number, reason=reason)


def _recognise(run: Run, history: HistoryImport, opened: "History") -> list[tuple["Member", "Format"]]:
    """Return the files that are histories, with their formats, and note what is worth knowing of the others."""
    from feedback.history_import.notes import ENCODING, FULL_SONGS, NO_HISTORY, PACKED, UNREAD, ZONE
    from feedback.history_import.reading.encodings import ENCODING_NAMES
    from feedback.history_import.reading.formats import recognise, why_no_history
    from feedback.history_import.reading.source import HistoryError

    kinds = [(member, recognise(member)) for member in opened.members]
    refused = {member.name: reason for member, kind in kinds if (reason := why_no_history(member, kind))}
    histories = [(member, kind) for member, kind in kinds if kind is not None and member.name not in refused]
    if not histories:
        for name, reason in refused.items():
            raise HistoryError(reason, file=name)
        is_packed = any(member.name.lower().endswith(ARCHIVES) for member in opened.members if opened.is_zip)
        raise HistoryError(_PACKED_TWICE if is_packed else _UNKNOWN_FORMAT, file=history.name)
    unread = [member.name for member, kind in kinds if kind is None and member.name not in refused]
    unread = [name for name in unread if not name.lower().endswith(NO_HISTORIES)]
    # A nested archive may contain a history, so it is listed first, because the list is limited.
    unread.sort(key=lambda name: not name.lower().endswith(ARCHIVES))
    notes: list[tuple[str, ...]] = [
        (PACKED if name.lower().endswith(ARCHIVES) else UNREAD, name) for name in unread[:MAX_NOTES]
    ]
    notes += [tuple(note) for note in history.notes or [] if note[0] == FULL_SONGS]
    notes += [(NO_HISTORY, name, reason) for name, reason in list(refused.items())[:MAX_NOTES]]
    notes += [(ZONE, member.name, _zone_of(history)) for member, kind in histories if kind.has_local_clock]
    notes += [
        (ENCODING, member.name, ENCODING_NAMES[member.encoding])
        for member, _kind in histories
        if member.encoding in ENCODING_NAMES
    ]
    history.format = ", ".join(dict.fromkeys(kind.name for _member, kind in histories))[:100]
    history.notes = notes
    HistoryImport.objects.filter(pk=history.pk).update(format=history.format, notes=notes)
    if not history.position:
        for member, kind in histories:
            run.log(f"{member.name}: {kind.label}")
        for name in unread[:MAX_NOTES]:
            run.log(f"{name}: skipped, because it isn't a listening history")
    return histories


def _date_orders(history: HistoryImport, histories: "Sequence[tuple[Member, Format]]") -> dict[str, str]:
    """Return by file whether day or month comes first; if only the listener can know, store the question."""
    from feedback.history_import.reading.formats import date_order

    orders = dict(history.date_orders or {})
    history.question = None
    for member, kind in histories:
        if member.name in orders:
            continue
        orders[member.name], examples = date_order(member, kind)
        if examples and not orders[member.name]:
            history.question = {"name": member.name, "examples": examples}
            break
    HistoryImport.objects.filter(pk=history.pk).update(question=history.question)
    return orders


def _all_rows(histories: "Sequence[Part]", zone: str) -> Iterator["Row"]:
    from feedback.history_import.reading.times import Times

    for member, kind, order in histories:
        yield from kind.rows(member, Times(order=order, zone=zone if kind.has_local_clock else ""))


def _zone_of(history: HistoryImport) -> str:
    """Return the listener's time zone, or the site's if they have chosen none."""
    return history.user.time_zone or settings.TIME_ZONE


def _finish(history: HistoryImport) -> None:
    history.file.delete(save=False)
    HistoryImport.objects.filter(pk=history.pk).update(finished_at=timezone.now(), file="")
    invalidate_feed(history.user_id)


def _undo(run: Run) -> str:
    history = HistoryImport.objects.filter(pk=run.job.arguments["import"]).first()
    if history is None:
        return "nothing left to do"
    plays = _take_back(run, history)
    history.file.delete(save=False)
    history.delete()
    return f"{plays:,} plays removed"


def _take_back(run: Run, history: HistoryImport) -> int:
    """Remove the plays of an import, and the songs that nothing else uses; return the number of plays."""
    removed, total = 0, max(1, history.plays.count())
    while True:
        with transaction.atomic():
            plays = list(history.plays.order_by("pk").values_list("pk", "track_id")[:CHUNK_ROWS])
            if not plays:
                return removed
            history.plays.filter(pk__lte=plays[-1][0]).delete()
            _remove_unused({track for _pk, track in plays})
        removed += len(plays)
        run.report(f"{removed:,}", removed / total)


def _remove_unused(track_ids: set[int]) -> None:
    """Delete those private songs that nothing except their own artists and genres refers to any more."""
    private = Track.objects.filter(origin=Track.Origin.PRIVATE)
    for relation in Track._meta.related_objects:
        model = relation.related_model
        if model is TrackArtist or isinstance(model, str):
            continue
        private = private.exclude(Exists(model._default_manager.filter(**{relation.field.name: OuterRef("pk")})))
    ids = sorted(track_ids)
    for start in range(0, len(ids), 500):
        unused = list(private.filter(pk__in=ids[start : start + 500]).values_list("pk", flat=True))
        if unused:
            Track.objects.filter(pk__in=unused).delete()


KINDS = (
    Kind(name=IMPORT, label=_("Listening history import"), handler=_import),
    Kind(name=UNDO, label=_("Undo of an import"), handler=_undo),
)
