"""Songs that the server has, in the order that fits the listener."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from accounts.models import User
from recommender import engine
from recommender.adapters.feedback import allowed_rows, unwanted_rows
from recommender.adapters.loaded import LoadedModel
from recommender.adapters.requests import ListenerRequest, request_for_listener
from recommender.engine import IntArray
from recommender.lifecycle.versions import active_model
from recommender.proxy.selectors import Library

Match = tuple[int, float]
"""A song of the catalogue, and how similar it is, 0..1."""
MOST_SEEDS = 50


def similar_mix(user: User, library: Library, seeds: Sequence[int], k: int) -> list[Match] | None:
    """Return ``k`` songs like the seeds, those the listener likes first; ``None`` where the model knows no seed."""
    asked_for = _request(user, library, k)
    if asked_for is None:
        return None
    loaded, listener = asked_for
    catalogue = loaded.model.catalogue
    rows = catalogue.rows_of(np.array(seeds[:MOST_SEEDS], dtype=np.int64))
    rows = rows[rows >= 0]
    if not len(rows):
        return None
    mixed = engine.mix(loaded.model, listener.feedback, rows, listener.request)
    return list(zip(catalogue.track_ids[mixed.rows].tolist(), mixed.similarity.tolist(), strict=True))


def best_of(user: User, library: Library, track_ids: Collection[int], k: int) -> list[int] | None:
    """Return the ``k`` of some songs that the listener likes best; ``None`` where the model knows none."""
    asked_for = _request(user, library, k, among=track_ids)
    if asked_for is None:
        return None
    loaded, listener = asked_for
    return _ids(loaded, engine.by_taste(loaded.model, listener.feedback, listener.request))


def recommended(
    user: User, library: Library, k: int, *, among: Collection[int] | None = None, adventure: float | None = None
) -> list[int] | None:
    """Return ``k`` recommended songs of the server; the same all day, unless the listener does something.

    ``adventure`` (0..1) stands in for the listener's dial, and then the songs are drawn anew each time.
    """
    asked_for = _request(user, library, k, among=among)
    if asked_for is None:
        return None
    loaded, listener = asked_for
    seed = [user.pk, timezone.localdate().toordinal()] if adventure is None else None
    dial = user.adventure if adventure is None else adventure
    request = replace(listener.request, adventure=dial)
    page = engine.recommend(loaded.model, listener.feedback, request, np.random.default_rng(seed))
    return [item.track_id for item in page.items]


def path(user: User, library: Library, start: int, goal: int, k: int) -> list[int] | None:
    """Return up to ``k`` songs from one to another, both included; ``None`` where the model does not know them."""
    loaded = active_model()
    if loaded is None:
        return None
    catalogue = loaded.model.catalogue
    ends = catalogue.rows_of(np.array([start, goal], dtype=np.int64))
    if ends.min() < 0:
        return None
    rows = engine.track_path(
        loaded.model, int(ends[0]), int(ends[1]), max(k - 2, 0),
        excluded=unwanted_rows(user, loaded), only=_rows(loaded, library.remote_ids),
    )  # fmt: skip
    return [start, *_ids(loaded, rows), goal]


def _request(
    user: User, library: Library, k: int, *, among: Collection[int] | None = None
) -> tuple[LoadedModel, ListenerRequest] | None:
    """Return the model, and the listener's request for songs of the server; ``None`` where there is no such song."""
    loaded = active_model()
    if loaded is None:
        return None
    only = _rows(loaded, library.remote_ids if among is None else set(among) & library.remote_ids.keys())
    recorded = allowed_rows(user, loaded.model.catalogue)
    if recorded is not None:
        only = np.intersect1d(only, recorded).astype(np.int32)
    if not len(only):
        return None
    listener = request_for_listener(user, loaded, k=k)
    return loaded, replace(listener, request=replace(listener.request, only=only))


def _rows(loaded: LoadedModel, track_ids: Collection[int]) -> IntArray:
    ids: NDArray[np.int64] = np.fromiter(track_ids, dtype=np.int64, count=len(track_ids))
    rows = loaded.model.catalogue.rows_of(ids)
    return rows[rows >= 0]


def _ids(loaded: LoadedModel, rows: IntArray) -> list[int]:
    ids: list[int] = loaded.model.catalogue.track_ids[rows].tolist()
    return ids
