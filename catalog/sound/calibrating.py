"""Fits a calibration on the operator's own songs, and writes what follows from it into the analyses."""

from collections.abc import Iterator
from typing import Any

from django.db import transaction

from catalog.models import SoundAnalysis, SoundCalibration, Track
from catalog.sound.calibration import COLUMNS, MIN_PAIRS, Column, fit_columns

# Known from the operator's own data. Spotify's terms forbid fitting on its values, and those of the demo are made up.
KNOWN = (Track.FeaturesOrigin.CSV, Track.FeaturesOrigin.OPERATOR, Track.FeaturesOrigin.SOURCE)
MAX_PAIRS = 20_000
# Fitted again once there are so many percent of the pairs.
_GROWTH_PERCENT = 110
_CHUNK = 500


def current_calibration(version: str) -> SoundCalibration | None:
    """Return the latest calibration of that version of the engine."""
    return SoundCalibration.objects.filter(version=version).order_by("-pk").first()


def estimates_of(calibration: SoundCalibration | None, numbers: dict[str, float]) -> dict[str, float]:
    """Return the features that a calibration gives for a recording's numbers."""
    return _estimates(_kept_columns(calibration), numbers)


def count_pairs(version: str) -> int:
    """Return how many songs have both a recording that was measured and known audio features."""
    return len({pk for pk, _numbers, _features in _rows(version)})


def recalibrate(*, version: str, is_forced: bool = False) -> SoundCalibration | None:
    """Fit a calibration if there are enough pairs, and clearly more than for the last one; return it.

    The estimates of all analyses are computed anew; the songs' features are the caller's to fill.
    """
    pairs = {pk: (numbers, features) for pk, numbers, features in _rows(version)}
    last = current_calibration(version)
    if len(pairs) < MIN_PAIRS or (
        last is not None and not is_forced and 100 * len(pairs) < _GROWTH_PERCENT * last.pairs
    ):
        return None
    columns = fit_columns(list(pairs.values()))
    with transaction.atomic():
        values = {name: column.as_dict() for name, column in columns.items()}
        calibration = SoundCalibration.objects.create(version=version, pairs=len(pairs), columns=values)
        _write_estimates(calibration)
    return calibration


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


def _rows(version: str) -> Iterator[tuple[int, dict[str, float], dict[str, float]]]:
    """Yield song, numbers of its recording and its known features."""
    measured = SoundAnalysis.objects.filter(state=SoundAnalysis.State.MEASURED, version=version)
    known = measured.filter(server_song__track__features_origin__in=KNOWN).order_by("-pk")
    columns = ("server_song__track", "numbers", "server_song__track__features")
    return iter(known.values_list(*columns)[:MAX_PAIRS])


def _write_estimates(calibration: SoundCalibration) -> None:
    columns, last = _kept_columns(calibration), 0
    rows = SoundAnalysis.objects.filter(state=SoundAnalysis.State.MEASURED, version=calibration.version)
    while chunk := list(rows.filter(pk__gt=last).order_by("pk").only("numbers", "estimates", "calibration")[:_CHUNK]):
        for row in chunk:
            row.estimates, row.calibration = _estimates(columns, row.numbers), calibration
        SoundAnalysis.objects.bulk_update(chunk, ["estimates", "calibration"])
        last = chunk[-1].pk


def _kept_columns(calibration: SoundCalibration | None) -> dict[str, Column]:
    columns: dict[str, Any] = calibration.columns if calibration else {}
    fitted = {name: Column.of_dict(values) for name, values in columns.items()}
    return {name: column for name, column in fitted.items() if column.is_kept}


def _estimates(columns: dict[str, Column], numbers: dict[str, float]) -> dict[str, float]:
    values = {name: column.value(numbers) for name, column in columns.items()}
    return {name: value for name, value in values.items() if value is not None}
