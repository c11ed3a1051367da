"""Stored listens, and their completion from another source."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from accounts.fast.unix_seconds import UnixSeconds
from catalog.importing.writing.writer import batches, fetch, update
from catalog.models import Track
from feedback.plays.identity import CONNECTION, DAY, Listen, pair
from feedback.plays.models import Play
from feedback.source import Source

# A play may be known by its end and looked for by its start: so far apart may these be.
REACH = 2 * 3600


@dataclass(eq=False, slots=True)
class StoredListen(Listen):
    """A play of the database; ``number`` is its primary key."""

    outcome: str = ""
    source: str = ""
    is_counted: bool = True
    digest: int | None = None
    is_taken: bool = False
    import_id: int | None = None
    track_id: int = 0


def stored_listens(user_id: int, first: int, last: int) -> list[StoredListen]:
    """Return the listener's plays between two moments, whole seconds since 1970, and some before and after."""
    return listens_of(Play.objects.filter(user_id=user_id, played_at__range=_around(first, last)))


def stored_digests(user_id: int, first: int, last: int) -> set[int | None]:
    """Return the digests of the listener's plays between two moments, as `stored_listens` takes them."""
    plays = Play.objects.filter(user_id=user_id, played_at__range=_around(first, last))
    return {digest for (digest,) in fetch(plays, "digest")}


def listens_of(plays: Any) -> list[StoredListen]:
    """Return the listens of a query set of plays."""
    rows = fetch(
        plays.annotate(second=UnixSeconds("played_at")),
        "pk", "track__recording_key", "second", "ms_played", "outcome", "source", "is_counted", "digest", "listing",
        "history_import__format", "history_import_id", "track_id",
    )  # fmt: skip
    listens = []
    for pk, recording, second, ms, outcome, source, is_counted, mark, listing, label, import_id, track_id in rows:
        name, family = _listing_of(source, listing, label)
        listen = StoredListen(recording, second, ms, name, pk, family, outcome, source, bool(is_counted), mark)
        listen.import_id, listen.track_id = import_id, track_id
        listens.append(listen)
    return listens


def names_of(track_ids: Collection[int]) -> dict[int, tuple[str, str]]:
    """Return title and artists of songs."""
    names: dict[int, tuple[str, str]] = {}
    for batch in batches(sorted(track_ids)):
        rows = fetch(Track.objects.filter(pk__in=batch), "pk", "title", "artist_names")
        names.update({pk: (title, artists) for pk, title, artists in rows})
    return names


def complete_plays(additions: Sequence[tuple[StoredListen, Listen, str, bool, int]]) -> None:
    """Complete plays from another source: the listen, its outcome, whether it counts, and its digest. The richer record
    is kept. Plays made on this site or from Spotify's API keep their source.
    """
    richer, poorer = [], []
    for stored, listen, outcome, is_counted, digest in additions:
        ms = listen.ms if listen.ms is not None else stored.ms
        if stored.source == Source.HISTORY and listen.rank > stored.rank:
            richer.append(
                (_moment_value(listen.at), ms, outcome, stored.is_counted and is_counted, digest, listen.listing,
                 stored.number)
            )  # fmt: skip
        elif stored.ms is None and ms is not None:
            poorer.append((ms, stored.number))
    update(Play, ("played_at", "ms_played", "outcome", "is_counted", "digest", "listing"), richer)
    update(Play, ("ms_played",), poorer)


def known_from_elsewhere(user_id: int, plays: Sequence[tuple[str, datetime]]) -> set[int]:
    """Return the places in ``told`` (recording key and time) of what other sources than the connection told."""
    if not plays:
        return set()
    seconds = [int(moment.timestamp()) for _recording, moment in plays]
    stored = stored_listens(user_id, min(seconds), max(seconds))
    listens = [
        Listen(recording, second, None, CONNECTION, number)
        for number, ((recording, _moment), second) in enumerate(zip(plays, seconds, strict=True))
    ]
    return set(pair(listens, stored))


def _around(first: int, last: int) -> tuple[datetime, datetime]:
    """Return the start of the first day and the end of the last, for some sources count by the day, and some more."""
    return _moment(first - first % DAY - REACH), _moment(last - last % DAY + DAY + REACH)


def _listing_of(source: str, listing: str, label: str | None) -> tuple[str, str]:
    """Return the listing of a play, and the family of what was kept before listings were."""
    if listing:
        return listing, ""
    if source == Source.SITE:
        return "site", ""
    if source == Source.SPOTIFY:
        return CONNECTION, ""
    return f"{label or Source.HISTORY}-before", label or Source.HISTORY


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def _moment_value(second: int) -> Any:
    return connection.ops.adapt_datetimefield_value(_moment(second))
