"""Audio features estimated by the model, stored with their songs and marked as estimates."""

import numpy as np

from catalog.features import FEATURES, check_features
from catalog.services import set_estimated_features
from recommender.engine import Catalogue

# Estimates are no better than that, and equal ones need not be written again.
_DECIMALS = 2


def store_estimates(catalogue: Catalogue) -> int:
    """Write the estimated features of ``catalogue`` to their songs; return how many songs changed.

    Measured features, and those an operator entered, are never touched.
    """
    rows = np.flatnonzero(catalogue.features_estimated)
    estimates = {int(catalogue.track_ids[row]): _features(catalogue, int(row)) for row in rows}
    return set_estimated_features(estimates=estimates)


def _features(catalogue: Catalogue, row: int) -> dict[str, float | int]:
    values = zip(catalogue.feature_columns, catalogue.features[row].tolist(), strict=True)
    # A mean of values in range is in range except for rounding.
    return check_features(
        {
            name: min(max(round(value, _DECIMALS), FEATURES[name].low), FEATURES[name].high)
            for name, value in values
            if not np.isnan(value)
        }
    )
