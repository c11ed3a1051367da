"""The periodic background job that analyses recordings."""

from datetime import timedelta

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from catalog.sound.analyser import missing_tools
from catalog.sound.calibrating import summary_of
from catalog.sound.services import AnalysisReport, analyse_songs, calibrate
from jobs.registry import Kind, Run


def _analyse(run: Run) -> str:
    """Analyse what was not analysed yet; other jobs go first."""
    from jobs.running import JobFailedError

    if missing := missing_tools():
        raise JobFailedError(f"needs {' and '.join(missing)}: see docs/music-servers.md")

    def progress(done: int, total: int) -> None:
        run.report(f"{done:,} of {total:,}", done / max(total, 1))
        if done:
            run.give_way()

    line = summary(analyse_songs(progress))
    if (calibration := calibrate()) is not None:
        for text in summary_of(calibration):
            run.log(text)
    return line


def summary(report: AnalysisReport) -> str:
    """Return a line about a run."""
    counts, analysed = report.counts, report.analysed
    away = f", {counts['away']:,} not available now" if counts["away"] else ""
    cost = f"; {report.cpu_seconds / analysed:.2f} s of one core each, {report.peak_mb:.0f} MB" if analysed else ""
    return (
        f"{analysed:,} recordings analysed: {counts['measured']:,} measured, {counts['empty']:,} silent, short "
        f"or noise, {counts['broken']:,} broken, {counts['failed']:,} failed{away}{cost}"
    )


def _every() -> timedelta | None:
    return timedelta(hours=settings.SOUND_HOURS) if settings.SOUND_HOURS and not missing_tools() else None


ANALYSE = Kind(name="analyse-sound", label=_("Analysing recordings"), handler=_analyse, every=_every, is_startable=True)
