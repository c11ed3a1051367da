"""Take over the stars, ratings and last plays that listeners have on their music server.

Only changes since the last reading count. What the listener said here after that stays, and what they took back here is
not liked again because the star is still there. A last play is a listen like any other, so that no other source tells
it again; how often a song was played before has no times, so that nothing could tell these plays from those that are
known, and they don't count. What calls the server is not atomic.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from catalog.models import ServerSong, Track
from catalog.sources.subsonic.client import SubsonicError
from catalog.sources.subsonic.marks import marks_of
from feedback.hidden import HiddenTrackError
from feedback.music_servers.models import ServerAccount, ServerMark
from feedback.music_servers.services import check_login, client_of
from feedback.ratings.models import Rating
from feedback.ratings.services import rate
from feedback.scrobbling.receiving import Reporter, take_listens
from feedback.scrobbling.reported import listen_of
from feedback.source import Source
from jobs.services import enqueue

READ_MARKS = "read-server-marks"
_AT_ONCE = 500
# So late may a server learn of a play.
_MARGIN = timedelta(days=7)


@dataclass(frozen=True)
class MarksReport:
    """What a reading did: how many songs are marked there, and how many were rated, cleared and played here."""

    marked: int
    rated: int
    cleared: int
    played: int = 0


def request_marks(*, account: ServerAccount) -> None:
    """Ask for a reading in the background."""
    enqueue(kind=READ_MARKS, user_id=account.user_id, subject=f"server-marks:{account.pk}")


def read_marks(account: ServerAccount) -> MarksReport:
    """Read what the account there likes and dislikes, and take over what has changed. Raise ``SubsonicError``."""
    started = timezone.now()
    try:
        marks = marks_of(client_of(account))
    except SubsonicError as error:
        ServerAccount.objects.filter(pk=account.pk).update(error=str(error)[:1000])
        check_login(account)
        raise
    rated, cleared = _take_over(account, marks.opinions)
    played = _take_plays(account, marks.last_plays, started)
    ServerAccount.objects.filter(pk=account.pk).update(marks_read_at=started, error="")
    return MarksReport(len(marks.opinions), rated, cleared, played)


def _take_over(account: ServerAccount, marks: Mapping[str, int]) -> tuple[int, int]:
    before = dict(ServerMark.objects.filter(account=account).values_list("remote_id", "value"))
    changed = sorted(key for key in {*marks, *before} if marks.get(key) != before.get(key))
    rated = cleared = 0
    for start in range(0, len(changed), _AT_ONCE):
        keys = changed[start : start + _AT_ONCE]
        for key, track in _tracks(account, keys).items():
            # Each by itself: the next reading goes on where this one died.
            with transaction.atomic():
                new, old = marks.get(key), before.get(key)
                has_changed = _apply(account, track, new, old)
                _note(account, key, new)
            rated += has_changed and new is not None
            cleared += has_changed and new is None
    return rated, cleared


def _take_plays(account: ServerAccount, last_plays: Mapping[str, int], started: datetime) -> int:
    """Take the last plays since the reading before as listens; return how many are new."""
    since = (account.marks_read_at - _MARGIN).timestamp() if account.marks_read_at else 0.0
    keys = sorted(key for key, second in last_plays.items() if second >= since)
    # A name that stays: it tells a play that was read before.
    teller, added = Reporter(account.user, None, f"music server {account.server_id}"), 0
    for start in range(0, len(keys), _AT_ONCE):
        tracks = _tracks(account, keys[start : start + _AT_ONCE])
        heard = [listen_of(track, last_plays[key]) for key, track in tracks.items() if track.is_active]
        if heard:
            added += take_listens(teller=teller, heard=heard, received=int(started.timestamp()))
    return added


def _tracks(account: ServerAccount, keys: list[str]) -> dict[str, Track]:
    """Return the songs of these ids that the site has read; the others are looked at again the next time."""
    rows = ServerSong.objects.filter(server=account.server_id, remote_id__in=keys).select_related("track")
    return {row.remote_id: row.track for row in rows}


def _apply(account: ServerAccount, track: Track, new: int | None, old: int | None) -> bool:
    """Rate a song as the server has it now, unless the listener's own word is newer; return whether it changed."""
    rating = Rating.objects.filter(user=account.user_id, track=track).first()
    if rating is not None and (rating.value == new or _is_newer(rating, account.marks_read_at)):
        return False
    if new is None and (rating is None or rating.value != old):
        return False
    try:
        rate(user=account.user, track=track, value=new, source=Source.SCROBBLE)
    except HiddenTrackError:
        return False
    return True


def _is_newer(rating: Rating, read_at: datetime | None) -> bool:
    """Whether a rating was made after the last reading; before the first reading all were."""
    return read_at is None or rating.updated_at > read_at


def _note(account: ServerAccount, key: str, value: int | None) -> None:
    if value is None:
        ServerMark.objects.filter(account=account, remote_id=key).delete()
    else:
        ServerMark.objects.update_or_create(account=account, remote_id=key, defaults={"value": value})
