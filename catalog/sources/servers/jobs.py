"""The periodic background job that reads music servers and folders."""

from datetime import timedelta

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from catalog.models import MusicServer
from catalog.sources.servers.services import READ_ERRORS, ReadReport, read_server
from jobs.registry import Kind, Run

_NAMED_FILES = 10
"""Files that can't be read and are named in the line about a reading."""


def _read(run: Run) -> str:
    """Read all active servers, or one; a failure does not stop the others."""
    from jobs.running import JobFailedError

    servers = MusicServer.objects.filter(is_active=True)
    if pk := run.job.arguments.get("server"):
        servers = servers.filter(pk=pk)
    lines, failed = [], []
    for server in servers:
        try:
            report = read_server(server, lambda done, total: run.report(f"{done:,}", done / max(done, total, 1)))
        except READ_ERRORS as error:
            failed.append(f"{server}: {error}")
        else:
            lines.append(f"{server}: {summary(report)}")
            run.log(lines[-1])
    if failed:
        raise JobFailedError("; ".join(failed))
    return "; ".join(lines) or "no music server is connected"


def summary(report: ReadReport) -> str:
    """Return a line about a reading."""
    unreadable = ""
    if report.unreadable:
        names = report.unreadable[:_NAMED_FILES]
        more = ", …" if len(report.unreadable) > len(names) else ""
        unreadable = f", {len(report.unreadable):,} files that can't be read ({', '.join(names)}{more})"
    return (
        f"{report.songs:,} songs read: {report.created:,} new, {report.matched:,} already in the catalogue, "
        f"{report.changed:,} changed, {report.unchanged:,} unchanged, {report.gone:,} gone{unreadable}"
    )


def reading_interval() -> timedelta | None:
    """Return the time between two readings of servers; ``None``: they are not read by themselves."""
    return timedelta(hours=settings.LIBRARY_HOURS) if settings.LIBRARY_HOURS else None


READ = Kind(
    name="read-servers", label=_("Reading music servers"), handler=_read, every=reading_interval, is_startable=True
)
