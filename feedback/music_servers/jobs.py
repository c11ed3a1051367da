"""Background jobs: put a list on a music server, and renew all that are due."""

from datetime import timedelta

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from catalog.sources.subsonic.client import SubsonicError
from feedback.music_servers.models import PushedPlaylist
from feedback.music_servers.pushing import PUSH, NothingToPushError, push
from feedback.music_servers.selectors import usable_accounts
from jobs.registry import Kind, Run
from jobs.services import enqueue

RENEW = "renew-playlists"


def _push(run: Run) -> str:
    from jobs.running import JobFailedError

    number = int(run.job.subject.rpartition(":")[2])
    rows = PushedPlaylist.objects.select_related("account__user", "account__server", "playlist")
    row = rows.filter(pk=number, account__in=usable_accounts()).first()
    if row is None:
        return "nothing to do: it is gone, switched off or without a log-in"
    try:
        is_sent = push(row, is_forced=not run.job.arguments.get("is_scheduled"))
    except NothingToPushError:
        raise JobFailedError("none of the songs is on the server") from None
    except SubsonicError as error:
        raise JobFailedError(str(error)) from None
    return f"{row.song_count:,} of {row.wanted_count:,} songs" + ("" if is_sent else ", unchanged")


def _renew(_run: Run) -> str:
    """Request the renewal of all lists that are kept up to date; a job each, so that none is renewed twice at once."""
    rows = PushedPlaylist.objects.filter(is_renewed=True, account__in=usable_accounts()).select_related("account")
    for row in rows:
        enqueue(kind=PUSH, user_id=row.account.user_id, arguments={"is_scheduled": True}, subject=row.subject)
    return f"{len(rows):,} playlists"


def _every() -> timedelta | None:
    return timedelta(hours=settings.LISTS_HOURS) if settings.LISTS_HOURS else None


KINDS = (
    Kind(PUSH, _("playlist to a music server"), _push),
    Kind(RENEW, _("Renewing playlists on music servers"), _renew, every=_every, is_startable=True),
)
