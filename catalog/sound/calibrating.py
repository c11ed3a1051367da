"""Fits a calibration on the operator's own songs, and writes what follows from it into the analyses."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from catalog.models import SoundAnalysis, SoundCalibration, Track
from catalog.sound.calibration import COLUMNS, MIN_PAIRS, Column, fit_columns

# Known from the operator's own data. Spotify's terms forbid fitting on its values, and those of the demo are made up.
KNOWN = (Track.FeaturesOrigin.CSV, Track.FeaturesOrigin.OPERATOR, Track.FeaturesOrigin.SOURCE)
MAX_PAIRS = 20_000
# Fitted again once there are so many percent of the pairs.
_GROWTH_PERCENT = 110
# Analyses that are written at once: few, because other writers of SQLite wait meanwhile.
_CHUNK = 100


def current_calibration(version: str) -> SoundCalibration | None:
    """Return the latest calibration of that version of the engine."""
    return SoundCalibration.objects.filter(version=version).order_by("-pk").first()


def estimates_of(calibration: SoundCalibration | None, numbers: dict[str, float]) -> dict[str, float]:
    """Return the features that a calibration gives for a recording's numbers."""
    return _estimates(_kept_columns(calibration), numbers)


def count_pairs(version: str) -> int:
    """Return how many songs have both a recording that was measured and known audio features."""
    # In the database: the rows themselves are megabytes, and are counted by every run.
    return _known(version).order_by().values("server_song__track").distinct().count()


def recalibrate(*, version: str, is_forced: bool = False) -> SoundCalibration | None:
    """Fit a calibration if there are enough pairs, and clearly more than for the last one; return it.

    The analyses are the caller's to bring up to date (``unestimated`` and ``write_estimates``).
    """
    number, last = count_pairs(version), current_calibration(version)
    if number < MIN_PAIRS or (last is not None and not is_forced and 100 * number < _GROWTH_PERCENT * last.pairs):
        return None
    columns = ("server_song__track", "numbers", "server_song__track__features")
    rows = _known(version).order_by("-pk").values_list(*columns)
    pairs = {pk: (numbers, features) for pk, numbers, features in rows.iterator(chunk_size=_CHUNK)}
    values = {name: column.as_dict() for name, column in fit_columns(list(pairs.values())).items()}
    return SoundCalibration.objects.create(version=version, pairs=len(pairs), columns=values)


def unestimated(calibration: SoundCalibration) -> list[SoundAnalysis]:
    """Return the next analyses whose estimates are of another calibration, or of none."""
    rows = SoundAnalysis.objects.filter(state=SoundAnalysis.State.MEASURED, version=calibration.version)
    return list(rows.exclude(calibration=calibration).select_related("server_song").order_by("pk")[:_CHUNK])


def write_estimates(calibration: SoundCalibration, rows: Sequence[SoundAnalysis]) -> None:
    """Compute the estimates of these analyses anew."""
    columns = _kept_columns(calibration)
    for row in rows:
        row.estimates, row.calibration = _estimates(columns, row.numbers), calibration
    SoundAnalysis.objects.bulk_update(rows, ["estimates", "calibration"])


def summary_of(calibration: SoundCalibration) -> list[str]:
    """Return a line about each column: its error, that of guessing the mean, and whether it is used."""
    lines = []
    # Databases keep no order of names.
    for name in (name for name in COLUMNS if name in calibration.columns):
        column = Column.of_dict(calibration.columns[name])
        verdict = "used" if column.is_kept else "not used"
        error = f"mean error {column.error:.3f}, of guessing the mean {column.mean_error:.3f}"
        lines.append(f"{name}: {error}, R2 {column.r2:.2f}, {column.pairs:,} songs: {verdict}")
    return lines


def _known(version: str) -> QuerySet[SoundAnalysis]:
    """Return the analyses of songs with known features, the latest ``MAX_PAIRS`` of them."""
    measured = SoundAnalysis.objects.filter(state=SoundAnalysis.State.MEASURED, version=version)
    known = measured.filter(server_song__track__features_origin__in=KNOWN)
    oldest = known.order_by("-pk").values_list("pk", flat=True)[MAX_PAIRS - 1 : MAX_PAIRS]
    return known.filter(pk__gte=next(iter(oldest), 0))


def _kept_columns(calibration: SoundCalibration | None) -> dict[str, Column]:
    columns: dict[str, Any] = calibration.columns if calibration else {}
    fitted = {name: Column.of_dict(values) for name, values in columns.items()}
    return {name: column for name, column in fitted.items() if column.is_kept}


def _estimates(columns: dict[str, Column], numbers: dict[str, float]) -> dict[str, float]:
    values = {name: column.value(numbers) for name, column in columns.items()}
    return {name: value for name, value in values.items() if value is not None}
