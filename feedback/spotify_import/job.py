"""The job that imports a listener's songs from Spotify, to the end of each list, however long it is.

The position of the next page is stored with the songs of the page, so that a job that was killed, limited or failed
resumes there.
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
from feedback.plays.capacity import room_for_plays
from feedback.spotify_import.models import HISTORY_FULL, PARTS, Resumable, SpotifyImport, SpotifyPlaylist
from feedback.spotify_import.reading import Position
from feedback.spotify_import.writes import Counts, like_songs, new_preferences, record_plays
from feedback.web.feed_cache import invalidate_feed
from jobs.registry import Kind, Run

IMPORT_KIND = "spotify-bring"
# Time limit of a page of 50 songs.
PAGE_SECONDS = 10.0
ReadPage = Callable[[SpotifyClient, str], Page[Any]]
Write = Callable[[SpotifyImport, Page[Any]], Counts]


def postpone_or_fail(record: Resumable, error: SpotifyError) -> Exception:
    """Store Spotify's ``error`` on ``record``; return the exception that postpones its job or lets it fail.

    A rate limit says when to resume. Other faults are retried a few times, after increasing delays.
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


def _import(run: Run) -> str:
    spotify_import = SpotifyImport.objects.select_related("user").filter(user=run.job.user_id).first()
    if spotify_import is None or spotify_import.finished_at is not None:
        return "nothing left to do"
    try:
        for number, part in enumerate(spotify_import.parts):
            while not spotify_import.is_read(part):
                if not _next_page(spotify_import, part):
                    return "requested anew or deleted meanwhile"
                run.report(f"{part}: {spotify_import.counts[part]['found']}", _share(spotify_import, number, part))
                run.give_way()
    except SpotifyError as error:
        raise postpone_or_fail(spotify_import, error) from None
    SpotifyImport.objects.filter(pk=spotify_import.pk, consented_at=spotify_import.consented_at).update(
        finished_at=timezone.now(), error=_error_at_cap(spotify_import), stalls=0
    )
    invalidate_feed(spotify_import.user_id)
    return ", ".join(
        f"{part}: {counts['added']} of {counts['found']}" for part, counts in spotify_import.counts.items()
    )


def _error_at_cap(spotify_import: SpotifyImport) -> str:
    with transaction.atomic():
        return HISTORY_FULL if "recent" in spotify_import.parts and not room_for_plays(spotify_import.user) else ""


def _share(spotify_import: SpotifyImport, number: int, part: str) -> float:
    counts = spotify_import.counts[part]
    share: float = min(1.0, counts["found"] / max(1, counts["total"]))
    return (number + share) / max(1, len(spotify_import.parts))


def _next_page(spotify_import: SpotifyImport, part: str) -> bool:
    """Read one page, and write its songs together with the new position.

    Return whether the record is unchanged since the job began: the listener may have deleted it, requested it again, or
    connected another account.
    """
    read, write = _PARTS[part]
    position = Position.of((spotify_import.positions or {}).get(part))
    page = read(client_for(spotify_import.user, seconds=PAGE_SECONDS), position.next or "")
    with transaction.atomic():
        lock_user(spotify_import.user)
        same = SpotifyImport.objects.filter(
            pk=spotify_import.pk, consented_at=spotify_import.consented_at, finished_at=None
        ).select_for_update()
        stored = same.first()
        if stored is None:
            return False
        spotify_import.artist_ids = stored.artist_ids
        counts = {"total": 0, "found": 0, "unreadable": 0, "matched": 0, "added": 0} | spotify_import.counts.get(
            part, {}
        )
        if removed := position.removed(page):
            position = position.before(page)
            counts["found"] = max(0, counts["found"] - removed)
        else:
            _count(counts, page, write(spotify_import, page), is_again=position.end is not None)
            position = position.behind(page)
        counts["total"] = page.total if page.total is not None else counts["found"]
        spotify_import.counts = {**spotify_import.counts, part: counts}
        spotify_import.positions = {**(spotify_import.positions or {}), part: position.stored()}
        spotify_import.error, spotify_import.stalls = "", 0
        spotify_import.save(update_fields=["counts", "positions", "artist_ids", "error", "stalls"])
    return True


def _count(counts: Counts, page: Page[Any], new: Counts, *, is_again: bool) -> None:
    counts["added"] += new["added"]
    if not is_again:
        counts["found"] += page.rows
        counts["unreadable"] += page.rows - len(page.items)
        counts["matched"] += new["matched"]


def _write_likes(spotify_import: SpotifyImport, page: Page[Any]) -> Counts:
    return like_songs(user=spotify_import.user, songs=page.items)


def _write_plays(spotify_import: SpotifyImport, page: Page[Any]) -> Counts:
    return record_plays(user=spotify_import.user, plays=page.items)


def _write_artists(spotify_import: SpotifyImport, page: Page[Any]) -> Counts:
    counts, new = new_preferences(user=spotify_import.user, names=page.items)
    spotify_import.artist_ids = sorted({*spotify_import.artist_ids, *new})
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
KIND = Kind(IMPORT_KIND, _("Songs from Spotify"), _import)
