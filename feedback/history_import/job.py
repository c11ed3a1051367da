"""The import of an uploaded history as work in the background, and its undoing."""

from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING

from django.db import reset_queries, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models import Track, TrackArtist
from feedback.history_models import HistoryImport
from jobs.registry import Kind

if TYPE_CHECKING:
    from feedback.history_import.formats import Format, Row
    from feedback.history_import.source import History, Member
    from jobs.running import Run

CHUNK_ROWS = 5000
IMPORT, UNDO = "history-import", "history-undo"


def _import(run: "Run") -> str:
    from feedback.history_import.source import HistoryError
    from jobs.running import JobFailedError

    history = HistoryImport.objects.filter(pk=run.job.arguments["import"]).first()
    if history is None or history.finished_at is not None:
        return "nothing left to do"
    try:
        _read_all(run, history)
    except HistoryError as error:
        _take_back(run, history)
        history.unmatched.all().delete()
        HistoryImport.objects.filter(pk=history.pk).update(**_NOTHING, error=str(error)[:500])
        _finish(history)
        raise JobFailedError(f"{error}; nothing of it was kept") from error
    _finish(history)
    history.refresh_from_db()
    return f"{history.plays_added:,} plays added, {history.plays_known:,} known, {history.plays_skipped:,} left out"


_NOTHING = {
    "position": 0,
    "plays_added": 0,
    "plays_known": 0,
    "plays_unmatched": 0,
    "plays_skipped": 0,
    "songs_created": 0,
    "skipped": {},
}


def _read_all(run: "Run", history: HistoryImport) -> None:
    from feedback.history_import.matching import Matcher
    from feedback.history_import.source import History, HistoryError
    from feedback.history_import.writing import Writer

    try:
        stored = history.file.open("rb")
    except (FileNotFoundError, ValueError) as error:
        raise HistoryError(f"{history.name}: the upload is gone; please upload it again") from error
    with closing(stored) as file:
        opened = History(file.file, history.name)
        found = _recognise(opened)
        if not found:
            raise HistoryError(f"{history.name}: holds no listening history that is known here")
        history.format = found[0][1].name
        HistoryImport.objects.filter(pk=history.pk).update(format=history.format)
        for member, kind in found:
            run.log(f"{member.name}: {kind.label}")
        writer = Writer(history, Matcher(creates=history.wants_own_songs))
        rows = _all_rows(found)
        done = sum(1 for _row in islice(rows, history.position))
        if done < history.position:
            raise HistoryError(f"{history.name}: is shorter than it was")
        total = max(1, sum(member.size for member, _kind in found))
        while chunk := list(islice(rows, CHUNK_ROWS)):
            writer.write(chunk)
            # With DEBUG on, Django keeps every statement.
            reset_queries()
            run.report(f"{history.position:,}", opened.read / total)
        if not history.position:
            raise HistoryError(f"{history.name}: holds no plays")


def _recognise(opened: "History") -> list[tuple["Member", "Format"]]:
    from feedback.history_import.formats import recognise

    kinds = [(member, recognise(member)) for member in opened.members]
    opened.read = 0
    return [(member, kind) for member, kind in kinds if kind is not None]


def _all_rows(found: list[tuple["Member", "Format"]]) -> Iterator["Row"]:
    for member, kind in found:
        yield from kind.rows(member)


def _finish(history: HistoryImport) -> None:
    history.file.delete(save=False)
    HistoryImport.objects.filter(pk=history.pk).update(finished_at=timezone.now(), file="")


def _undo(run: "Run") -> str:
    history = HistoryImport.objects.filter(pk=run.job.arguments["import"]).first()
    if history is None:
        return "nothing left to do"
    plays = _take_back(run, history)
    history.file.delete(save=False)
    history.delete()
    return f"{plays:,} plays removed"


def _take_back(run: "Run", history: HistoryImport) -> int:
    """Remove the plays of an import, and the songs that nothing else knows; return how many plays."""
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
    """Delete those private songs that no row of anything but their own artists and genres names any more."""
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
    Kind(name=IMPORT, label=_("Import of a history"), handler=_import),
    Kind(name=UNDO, label=_("Undoing an import"), handler=_undo),
)
