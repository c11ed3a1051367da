"""All listeners' feedback as the engine's arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accounts.models import User
from feedback.ratings.models import Rating
from feedback.taste import interactions
from recommender.engine import (
    NO_REGION,
    Catalogue,
    EngineConfig,
    FeedbackKind,
    FloatArray,
    IntArray,
    Interactions,
    signal_strength,
)


@dataclass(frozen=True)
class AllFeedback:
    """What all listeners did; ``user_ids``: int64, who the listeners are; ``regions``: names by region code."""

    interactions: Interactions
    user_ids: NDArray[np.int64]
    regions: list[str]


def load_interactions(catalogue: Catalogue, config: EngineConfig) -> AllFeedback:
    """Return what all listeners did with the songs of ``catalogue``.

    A pair's weight is the sum of its signals (``FeedbackConfig.signal``) without decay, because old likes still show
    which songs are liked together.
    """
    columns = _columns()
    row = catalogue.rows_of(columns["track"])
    known = row >= 0
    users, listener = np.unique(columns["user"][known], return_inverse=True)
    region, regions = _regions(users)
    done = Interactions(
        listener=listener.astype(np.int32), row=row[known], weight=_weights(columns, config)[known], region=region
    )
    return AllFeedback(done, users, regions)


def _columns() -> dict[str, NDArray[np.int64]]:
    names = ("user", "track", "rating", "plays", "completed", "skipped")
    # Six integers per pair; tuples would take ten times the memory.
    flat = np.fromiter((int(value) for pair in interactions() for value in pair[:6]), dtype=np.int64)
    table = flat.reshape(-1, len(names))
    return {name: table[:, number] for number, name in enumerate(names)}


def _weights(columns: dict[str, NDArray[np.int64]], config: EngineConfig) -> FloatArray:
    counts = {
        FeedbackKind.LIKE: columns["rating"] == Rating.Value.LIKE,
        FeedbackKind.DISLIKE: columns["rating"] == Rating.Value.DISLIKE,
        FeedbackKind.COMPLETED: columns["completed"],
        FeedbackKind.SKIP: columns["skipped"],
        FeedbackKind.PLAY: columns["plays"] - columns["completed"] - columns["skipped"],
    }
    weight = np.zeros(len(columns["user"]))
    for kind, count in counts.items():
        happened = count > 0
        kinds = np.full(int(happened.sum()), kind, dtype=np.int32)
        weight[happened] += signal_strength(kinds, count[happened].astype(np.float32), config.feedback)
    # A dislike silences every other signal of its song, as it does for the listener's own page.
    weight[counts[FeedbackKind.DISLIKE]] = config.feedback.signal["dislike"]
    return np.clip(weight, -config.feedback.max_row_weight, config.feedback.max_row_weight).astype(np.float32)


def _regions(users: NDArray[np.int64]) -> tuple[IntArray, list[str]]:
    region_of = dict(User.objects.exclude(region="").values_list("pk", "region"))
    regions = sorted({region_of[int(user)] for user in users if int(user) in region_of})
    code = {region: number for number, region in enumerate(regions)}
    codes = (code.get(region_of.get(int(user), ""), NO_REGION) for user in users)
    return np.fromiter(codes, dtype=np.int32, count=len(users)), regions
