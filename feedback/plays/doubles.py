"""Duplicate plays, left by imports from several sources: find, show, remove, restore."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.locks import lock_user
from accounts.models import User
from feedback.plays.identity import DAILY, Listen, at_one_time, doubles_among, spelled_doubles
from feedback.plays.listens import StoredListen, listens_of, names_of
from feedback.plays.models import Play, RemovedDouble
from feedback.plays.spellings import are_one_song
from feedback.source import Source

_BATCH = 500
Progress = Callable[[int, int], None]
_COLUMNS = (
    "user_id", "track_id", "played_at", "ms_played", "outcome", "source", "is_counted", "token", "digest", "listing",
    "history_import_id",
)  # fmt: skip


@dataclass(frozen=True)
class Double:
    """A duplicate play and the richer one that is kept."""

    play: Play
    counterpart: Play


def double_ids(plays: "QuerySet[Any]") -> dict[int, int]:
    """Return a listener's duplicate plays: the id of the play that is kept, by the id of the duplicate."""
    listens = listens_of(plays)
    doubles = list(doubles_among(listens))
    spelled = spelled_doubles(_told_otherwise(listens, doubles), doubles)
    counterparts = {**dict(doubles), **spelled}
    # A duplicate of a duplicate is one of the play that is kept.
    return {double.number: spelled.get(listen, listen).number for double, listen in counterparts.items()}


def _told_otherwise(
    listens: Sequence[StoredListen], doubles: Sequence[tuple[Listen, Listen]]
) -> list[tuple[int, Listen, Listen]]:
    """Return the listens, and others of that time, whose songs may be one under different spellings."""
    known = {double for double, _listen in doubles}
    remaining = [listen for listen in listens if listen not in known and listen.family != DAILY]
    if len({listen.listing for listen in remaining}) < 2:
        return []
    near = [
        (apart, listen, other)
        for apart, listen, other in at_one_time(remaining, remaining)
        if listen.number < other.number
    ]
    songs = {listen.number: listen.track_id for listen in remaining}
    names = names_of({songs[listen.number] for _apart, *pair in near for listen in pair})
    return [
        (apart, listen, other)
        for apart, listen, other in dict.fromkeys(near)
        if are_one_song(*names[songs[listen.number]], *names[songs[other.number]])
    ]


def doubles_of(user: User, limit: int) -> tuple[int, list[Double]]:
    """Return how many doubles the listener's history has, and the first of them with their songs."""
    ids = double_ids(Play.objects.filter(user=user))
    first = dict(sorted(ids.items())[:limit])
    rows = Play.objects.select_related("track", "history_import").prefetch_related("track__credits__artist")
    plays = rows.in_bulk([*first.keys(), *first.values()])
    return len(ids), [Double(plays[double], plays[counterpart]) for double, counterpart in first.items()]


def remove_doubles(*, user: User, on_progress: Progress | None = None) -> int:
    """Remove the duplicates from the listener's history, restorably; return their number.

    Each batch is a transaction of its own, after which ``on_progress`` is called with what is done and all there is.
    """
    ids = double_ids(Play.objects.filter(user=user))
    number = 0
    for batch in _batches(sorted(ids)):
        with transaction.atomic():
            lock_user(user)
            # A play that went meanwhile tells nothing any more, so that its double stays.
            there = set(Play.objects.filter(pk__in={ids[pk] for pk in batch}).values_list("pk", flat=True))
            number += take_out(user.pk, {pk: ids[pk] for pk in batch if ids[pk] in there})
        if on_progress is not None:
            on_progress(number, len(ids))
    return number


def take_out(user_id: int, ids: dict[int, int]) -> int:
    """Take plays of the listener out, to be put back at will; ``ids`` gives for each the one that is kept.

    Return how many of them were there.
    """
    number = 0
    for batch in _batches(sorted(ids)):
        plays = list(Play.objects.filter(pk__in=batch, user_id=user_id))
        RemovedDouble.objects.bulk_create(
            [
                RemovedDouble(counterpart_id=ids[play.pk], **{name: getattr(play, name) for name in _COLUMNS})
                for play in plays
            ]
        )
        Play.objects.filter(pk__in=[play.pk for play in plays]).delete()
        number += len(plays)
    return number


def put_doubles_back(*, user: User, on_progress: Progress | None = None) -> int:
    """Restore everything that ``remove_doubles`` removed; return the number of plays restored.

    A play that is there again, from another import, is not put in twice. Batches are as in ``remove_doubles``.
    """
    ids = list(user.removed_doubles.order_by("pk").values_list("pk", flat=True))
    number = 0
    for count, batch in enumerate(_batches(ids), start=1):
        with transaction.atomic():
            lock_user(user)
            number += _restored(user, batch)
        if on_progress is not None:
            on_progress(min(count * _BATCH, len(ids)), len(ids))
    return number


def _restored(user: User, ids: Sequence[int]) -> int:
    removed = list(RemovedDouble.objects.filter(pk__in=ids, user=user))
    marks = [double.digest for double in removed if double.digest is not None]
    there = set(Play.objects.filter(user=user, digest__in=marks).values_list("digest", flat=True))
    back = [double for double in removed if double.digest is None or double.digest not in there]
    Play.objects.bulk_create([Play(**{name: getattr(double, name) for name in _COLUMNS}) for double in back])
    RemovedDouble.objects.filter(pk__in=[double.pk for double in removed]).delete()
    return len(back)


def listeners_with_histories() -> "QuerySet[User]":
    """Return the listeners with plays from other sources; only these can have duplicates."""
    elsewhere = Play.objects.exclude(source=Source.SITE).values("user")
    return User.objects.filter(pk__in=elsewhere).order_by("pk")


def _batches(ids: Sequence[int]) -> list[Sequence[int]]:
    return [ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH)]
