"""Goes through the recordings that were not analysed yet, and fills the songs' features."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version

from django.db import reset_queries, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from catalog.features import check_features
from catalog.models import ServerSong, SoundAnalysis, SoundCalibration, Track
from catalog.sound.analyser import Analyser
from catalog.sound.calibrating import (
    current_calibration,
    estimates_of,
    recalibrate,
    unestimated,
    write_estimates,
)
from catalog.sound.measuring import ENGINE, RULES, Measurement
from catalog.sound.recordings import RecordingError, ServerAwayError, TooLargeError, recording_file

Progress = Callable[[int, int], None]
"""``progress(done, total)``: recordings so far, and of how many. What it raises ends the work; nothing is lost."""
# Features that the operator's own data gave are never replaced.
_UNKNOWN = (Track.FeaturesOrigin.NONE, Track.FeaturesOrigin.ESTIMATED)
FILLED = (*_UNKNOWN, Track.FeaturesOrigin.MEASURED)


@dataclass
class AnalysisReport:
    """What a run did: numbers of recordings by status, "away" for those that could not be had."""

    counts: Counter[str] = field(default_factory=Counter)
    cpu_seconds: float = 0.0
    peak_mb: float = 0.0

    @property
    def analysed(self) -> int:
        """Return how many were decoded and judged."""
        return sum(self.counts.values()) - self.counts["away"]


def current_version() -> str:
    """Return the version of the engine and of our rules, which rows are compared with."""
    return f"{version(ENGINE)}-{RULES}"


def pending_songs() -> QuerySet[ServerSong]:
    """Return the available recordings that were not analysed as they are now."""
    is_old = Q(analysis=None) | ~Q(analysis__digest=F("digest")) | ~Q(analysis__version=current_version())
    return ServerSong.objects.filter(is_old, gone_at=None, server__is_active=True)


def analyse_songs(progress: Progress, *, limit: int | None = None) -> AnalysisReport:
    """Analyse recordings that were not analysed yet, at most ``limit``. Each is written at once."""
    report, away, last = AnalysisReport(), set[int](), 0
    total = min(pending_songs().count(), limit or 2**31)
    with Analyser() as analyser:
        for done in range(total):
            progress(done, total)
            left = pending_songs().filter(pk__gt=last).exclude(server__in=away)
            song = left.select_related("server").order_by("pk").first()
            if song is None:
                break
            last = song.pk
            try:
                measurement = _measure(analyser, song)
            except ServerAwayError:
                away.add(song.server_id)
                report.counts["away"] += 1
            except RecordingError:
                report.counts["away"] += 1
            else:
                _note(report, measurement)
                write_analysis(song=song, measurement=measurement)
            # With DEBUG on, Django keeps every statement.
            reset_queries()
    restore_features()
    progress(total, total)
    return report


@transaction.atomic
def write_analysis(*, song: ServerSong, measurement: Measurement) -> None:
    """Store what was measured of a recording, and fill the features of its song."""
    names = ("state", "tempo", "key", "mode", "loudness", "seconds_decoded", "embedding", "numbers")
    values = {name: getattr(measurement, name) for name in names}
    values |= {"error": measurement.error[:200], "digest": song.digest, "engine": ENGINE, "version": current_version()}
    values["created_at"] = timezone.now()
    calibration = current_calibration(current_version())
    values |= {"calibration": calibration, "estimates": estimates_of(calibration, measurement.numbers)}
    SoundAnalysis.objects.update_or_create(server_song=song, defaults=values)
    fill_features(track_id=song.track_id)


@transaction.atomic
def fill_features(*, track_id: int) -> bool:
    """Give a song without known features the measured ones; return whether they changed."""
    track = Track.objects.select_for_update().get(pk=track_id)
    analyses = SoundAnalysis.objects.filter(server_song__track=track, state=SoundAnalysis.State.MEASURED)
    # A file that is there before one that is gone.
    analysis = analyses.order_by(F("server_song__gone_at").asc(nulls_first=True), "server_song").first()
    if analysis is None or track.features_origin not in FILLED:
        return False
    values = {name: getattr(analysis, name) for name in ("tempo", "key", "mode", "loudness")}
    features = check_features({**analysis.estimates, **values})
    if not features or (features == track.features and track.features_origin == Track.FeaturesOrigin.MEASURED):
        return False
    track.features, track.features_origin = features, Track.FeaturesOrigin.MEASURED
    track.save(update_fields=["features", "features_origin", "updated_at"])
    return True


def calibrate(*, is_forced: bool = False) -> SoundCalibration | None:
    """Fit a calibration if there are enough songs for a new one, and return it.

    Analyses and songs' features are brought up to date by the current one, some at a time: a run that is stopped is
    finished by the next.
    """
    fresh = recalibrate(version=current_version(), is_forced=is_forced)
    calibration = fresh or current_calibration(current_version())
    while calibration is not None and (rows := unestimated(calibration)):
        with transaction.atomic():
            write_estimates(calibration, rows)
            for track_id in sorted({row.server_song.track_id for row in rows}):
                fill_features(track_id=track_id)
    return fresh


def restore_features() -> int:
    """Give measured features back to songs that lost them, such as by another merge or source; return how many."""
    measured = SoundAnalysis.objects.filter(state=SoundAnalysis.State.MEASURED)
    lost = measured.filter(server_song__track__features_origin__in=_UNKNOWN).order_by()
    ids = list(lost.values_list("server_song__track", flat=True).distinct())
    return sum(fill_features(track_id=track_id) for track_id in ids)


def _measure(analyser: Analyser, song: ServerSong) -> Measurement:
    seconds = song.duration_ms / 1000 if song.duration_ms else None
    try:
        with recording_file(song) as path:
            return analyser.analyse(path, suffix=song.suffix, seconds=seconds)
    except TooLargeError as error:
        return Measurement("failed", str(error))


def _note(report: AnalysisReport, measurement: Measurement) -> None:
    report.counts[measurement.state] += 1
    report.cpu_seconds += measurement.cpu_seconds
    report.peak_mb = max(report.peak_mb, measurement.peak_mb)
