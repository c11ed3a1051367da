"""Bringing a listener's songs from Spotify in the background, to the end of each list, however long it is.

Where the next page begins is stored with what the page brought: killed, limited or failed, the job goes on from there.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.locks import lock_user
from accounts.spotify import RateLimited, SpotifyError, Unavailable
from accounts.spotify.errors import note_of
from accounts.spotify.web_api.client import SpotifyClient, client_for
from accounts.spotify.web_api.parsing import Page
from feedback.spotify_import.models import PARTS, Resumable, SpotifyBringing, SpotifyPlaylist
from feedback.spotify_import.reading import Position
from feedback.spotify_import.writes import Counts, like_songs, new_preferences, record_plays
from feedback.web.feed_cache import invalidate_feed
from jobs.registry import Kind, Run

BRING = "spotify-bring"
# Each page of 50 songs has so long.
PAGE_SECONDS = 10.0
ReadPage = Callable[[SpotifyClient, str], Page[Any]]
Write = Callable[[SpotifyBringing, Page[Any]], Counts]


def postpone_or_fail(record: Resumable, error: SpotifyError) -> Exception:
    """Note on ``record`` what Spotify's ``error`` was; return what to raise, so that its job goes on later or fails.

    A limit says when to go on. After other faults it is tried again a few times, ever later.
    """
    from jobs.running import JobFailedError, JobPostponedError

    until = None
    if isinstance(error, RateLimited):
        until = error.until
    elif isinstance(error, Unavailable):
        until = record.next_try()
    record.error = note_of(error)
    record.stalls += not isinstance(error, RateLimited)
    columns = ["error", "stalls"]
    if until is None and not isinstance(record, SpotifyPlaylist):
        record.finished_at = timezone.now()  # type: ignore[attr-defined]  # both others have it
        columns.append("finished_at")
    record.save(update_fields=columns)
    text = f"{type(error).__name__}: {error}"
    return JobFailedError(text) if until is None else JobPostponedError(text, until)


def _bring(run: Run) -> str:
    bringing = SpotifyBringing.objects.select_related("user").filter(user=run.job.user_id).first()
    if bringing is None or bringing.finished_at is not None:
        return "nothing left to do"
    try:
        for number, part in enumerate(bringing.parts):
            while not bringing.is_read(part):
                if not _next_page(bringing, part):
                    return "requested anew or deleted meanwhile"
                run.report(f"{part}: {bringing.counts[part]['found']}", _share(bringing, number, part))
    except SpotifyError as error:
        raise postpone_or_fail(bringing, error) from None
    SpotifyBringing.objects.filter(pk=bringing.pk, consented_at=bringing.consented_at).update(
        finished_at=timezone.now(), error="", stalls=0
    )
    invalidate_feed(bringing.user_id)
    return ", ".join(f"{part}: {counts['added']} of {counts['found']}" for part, counts in bringing.counts.items())


def _share(bringing: SpotifyBringing, number: int, part: str) -> float:
    counts = bringing.counts[part]
    share: float = min(1.0, counts["found"] / max(1, counts["total"]))
    return (number + share) / max(1, len(bringing.parts))


def _next_page(bringing: SpotifyBringing, part: str) -> bool:
    """Read one page and write what it brings together with the new position.

    Returns whether the record is still what it was when the job began: the listener may have deleted it, asked anew, or
    connected another account.
    """
    read, write = _PARTS[part]
    position = Position.of((bringing.positions or {}).get(part))
    page = read(client_for(bringing.user, seconds=PAGE_SECONDS), position.next or "")
    with transaction.atomic():
        lock_user(bringing.user)
        same = SpotifyBringing.objects.filter(
            pk=bringing.pk, consented_at=bringing.consented_at, finished_at=None
        ).select_for_update()
        stored = same.first()
        if stored is None:
            return False
        bringing.artist_ids = stored.artist_ids
        counts = {"total": 0, "found": 0, "unreadable": 0, "matched": 0, "added": 0} | bringing.counts.get(part, {})
        if removed := position.removed(page):
            position = position.before(page)
            counts["found"] = max(0, counts["found"] - removed)
        else:
            _count(counts, page, write(bringing, page), is_again=position.end is not None)
            position = position.behind(page)
        counts["total"] = page.total if page.total is not None else counts["found"]
        bringing.counts = {**bringing.counts, part: counts}
        bringing.positions = {**(bringing.positions or {}), part: position.stored()}
        bringing.error, bringing.stalls = "", 0
        bringing.save(update_fields=["counts", "positions", "artist_ids", "error", "stalls"])
    return True


def _count(counts: Counts, page: Page[Any], new: Counts, *, is_again: bool) -> None:
    counts["added"] += new["added"]
    if not is_again:
        counts["found"] += page.rows
        counts["unreadable"] += page.rows - len(page.items)
        counts["matched"] += new["matched"]


def _write_likes(bringing: SpotifyBringing, page: Page[Any]) -> Counts:
    return like_songs(user=bringing.user, songs=page.items)


def _write_plays(bringing: SpotifyBringing, page: Page[Any]) -> Counts:
    return record_plays(user=bringing.user, plays=page.items)


def _write_artists(bringing: SpotifyBringing, page: Page[Any]) -> Counts:
    counts, new = new_preferences(user=bringing.user, names=page.items)
    bringing.artist_ids = sorted({*bringing.artist_ids, *new})
    return counts


_PARTS: dict[str, tuple[ReadPage, Write]] = {
    "top": (lambda client, offset: client.top_tracks(offset=offset), _write_likes),
    "saved": (lambda client, offset: client.saved_tracks(offset=offset), _write_likes),
    # Spotify tells of the last 50 plays alone, whatever it says of more.
    "recent": (lambda client, _offset: replace(client.recently_played(), next=None), _write_plays),
    # The first page has no cursor.
    "followed": (
        lambda client, cursor: client.followed_artists(after=None if cursor == "0" else cursor),
        _write_artists,
    ),
}
assert _PARTS.keys() == PARTS.keys()
KIND = Kind(BRING, _("songs from Spotify"), _bring)
