"""Background jobs: put a list on a music server, renew all that are due, and read stars and ratings there."""

from datetime import timedelta

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from catalog.sources.servers.jobs import reading_interval
from catalog.sources.subsonic.client import SubsonicError
from feedback.music_servers.marks import READ_MARKS, read_marks, request_marks
from feedback.music_servers.models import PushedPlaylist
from feedback.music_servers.pushing import PUSH, NothingToPushError, push
from feedback.music_servers.selectors import usable_accounts
from jobs.registry import Kind, Run, subject_number
from jobs.services import enqueue

RENEW = "renew-playlists"
READ_ALL_MARKS = "read-all-server-marks"
NOTHING_TO_DO = "nothing to do: it is gone, switched off or without a log-in"


def _push(run: Run) -> str:
    from jobs.running import JobFailedError

    rows = PushedPlaylist.objects.select_related("account__user", "account__server", "playlist")
    row = rows.filter(pk=subject_number(run), account__in=usable_accounts()).first()
    if row is None:
        return NOTHING_TO_DO
    is_scheduled = bool(run.job.arguments.get("is_scheduled"))
    if is_scheduled and not row.is_renewed:
        return "nothing to do: it is no longer kept up to date"
    try:
        is_sent = push(row, is_forced=not is_scheduled)
    except NothingToPushError:
        # Nothing has failed: the listener's page says the same.
        return "nothing was put there: none of the songs is on the server"
    except SubsonicError as error:
        raise JobFailedError(str(error)) from None
    return f"{row.song_count:,} of {row.wanted_count:,} songs" + ("" if is_sent else ", unchanged")


def _renew(_run: Run) -> str:
    """Request the renewal of all lists that are kept up to date; a job each, so that none is renewed twice at once."""
    rows = PushedPlaylist.objects.filter(is_renewed=True, account__in=usable_accounts()).select_related("account")
    for row in rows:
        enqueue(kind=PUSH, user_id=row.account.user_id, arguments={"is_scheduled": True}, subject=row.subject)
    return f"{len(rows):,} playlists"


def _read_marks(run: Run) -> str:
    from jobs.running import JobFailedError

    rows = usable_accounts().filter(are_marks_read=True).select_related("user", "server")
    account = rows.filter(pk=subject_number(run)).first()
    if account is None:
        return NOTHING_TO_DO
    try:
        report = read_marks(account)
    except SubsonicError as error:
        raise JobFailedError(str(error)) from None
    here = f"{report.rated:,} rated here, {report.cleared:,} cleared, {report.played:,} plays added"
    return f"{report.marked:,} songs marked there, {here}"


def _read_all_marks(_run: Run) -> str:
    accounts = usable_accounts().filter(are_marks_read=True)
    for account in accounts:
        request_marks(account=account)
    return f"{len(accounts):,} accounts"


def _every() -> timedelta | None:
    return timedelta(hours=settings.LISTS_HOURS) if settings.LISTS_HOURS else None


KINDS = (
    Kind(READ_MARKS, _("Stars and ratings of a music server"), _read_marks),
    Kind(
        READ_ALL_MARKS,
        _("Reading stars and ratings on music servers"),
        _read_all_marks,
        every=reading_interval,
        is_startable=True,
    ),
    Kind(PUSH, _("Playlist to a music server"), _push),
    Kind(RENEW, _("Renewing playlists on music servers"), _renew, every=_every, is_startable=True),
)
