"""A listener's feedback as it was at earlier moments, for judging other policies on the pages of that time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from accounts.fast.int_tables import read_int_table, rows_by_key
from accounts.fast.unix_seconds import RowCount, UnixSeconds
from accounts.models import User
from feedback.plays.models import Play
from feedback.preferences.models import Block
from feedback.taste import (
    TASTE_PLAYS,
    FeedbackEvents,
    ListenerHistory,
    ListenerPreferences,
    adjustments_of,
    feedback_events,
)
from recommender.adapters.feedback import SECONDS_PER_DAY, exclusions_of, feedback_arrays
from recommender.adapters.impressions import MAX_ROWS, WINDOW_DAYS, impressions_of
from recommender.adapters.loaded import LoadedModel
from recommender.adapters.requests import page_request
from recommender.engine import Feedback, Request
from recommender.models import WEEKLY, Recommendation


class PastBlock(NamedTuple):
    """A block of one thing, and when it was made, in seconds since 1970."""

    track_id: int | None
    artist_id: int | None
    genre_id: int | None
    at: float


LISTENERS_AT_ONCE = 200
ROWS_AT_ONCE = 200_000
"""Plays and shown songs that are read together, unless one listener alone has more: some twenty megabytes."""


@dataclass(frozen=True, eq=False)
class PastListener:
    """All feedback of a listener, with its times. A rating counts from the time it was last changed; stated genres,
    artists and adjustments are today's.
    shown: int64[s, 2], ids of songs shown and when, in seconds since 1970, oldest first.
    """

    user: User
    events: FeedbackEvents
    adjustments: ListenerPreferences
    blocks: tuple[PastBlock, ...]
    shown: NDArray[np.int64]

    def request_at(self, at: float, loaded: LoadedModel, k: int) -> tuple[Feedback, Request]:
        """Return the feedback and the request for ``k`` songs at a moment (seconds since 1970), before it happened.

        The dial is the listener's.
        """
        catalogue = loaded.model.catalogue
        history: ListenerHistory = self.events.before(at)
        feedback = feedback_arrays(self.user, history, self.adjustments, loaded, at)
        blocks = self._blocks_at(at)
        exclusions = exclusions_of(blocks, blocks.track_ids, catalogue)
        is_earlier = (self.shown[:, 1] < int(at)) & (self.shown[:, 1] >= at - WINDOW_DAYS * SECONDS_PER_DAY)
        shown = impressions_of(self.shown[is_earlier][-MAX_ROWS:], catalogue, feedback, at)
        return feedback, page_request(self.user, exclusions, catalogue, k, (), shown, self.user.adventure)

    def _blocks_at(self, at: float) -> ListenerPreferences:
        earlier = [block for block in self.blocks if block.at < at]
        return ListenerPreferences(
            track_ids=tuple(block.track_id for block in earlier if block.track_id is not None),
            artist_ids=tuple(block.artist_id for block in earlier if block.artist_id is not None),
            genre_ids=tuple(block.genre_id for block in earlier if block.genre_id is not None),
        )


def past_listeners(users: Sequence[User]) -> Iterator[PastListener]:
    """Yield what is known of each of ``users``, in this order; two queries, and nine for every batch of listeners."""
    for batch in _batches(users):
        events, adjustments = feedback_events(batch), adjustments_of(batch)
        blocks, shown = _blocks(batch), _shown(batch)
        for user in batch:
            yield PastListener(user, events[user.pk], adjustments[user.pk], tuple(blocks[user.pk]), shown[user.pk])


def _batches(users: Sequence[User]) -> Iterator[list[User]]:
    """Yield the listeners in batches of few rows."""
    plays, shown = (
        dict(model.objects.filter(user__in=users).order_by().values_list("user_id").annotate(RowCount("id")))
        for model in (Play, Recommendation)
    )
    batch: list[User] = []
    n_rows = 0
    for user in users:
        own = min(plays.get(user.pk, 0), TASTE_PLAYS) + shown.get(user.pk, 0)
        if batch and (len(batch) == LISTENERS_AT_ONCE or n_rows + own > ROWS_AT_ONCE):
            yield batch
            batch, n_rows = [], 0
        batch.append(user)
        n_rows += own
    if batch:
        yield batch


def _blocks(users: Sequence[User]) -> dict[int, list[PastBlock]]:
    blocks: dict[int, list[PastBlock]] = {user.pk: [] for user in users}
    rows = Block.objects.in_force().filter(user__in=users)
    for pk, track, artist, genre, at in rows.values_list("user_id", "track_id", "artist_id", "genre_id", "created_at"):
        blocks[pk].append(PastBlock(track, artist, genre, at.timestamp()))
    return blocks


def _shown(users: Sequence[User]) -> dict[int, NDArray[np.int64]]:
    seen = Recommendation.objects.filter(user__in=users, is_shown=True).exclude(section=WEEKLY)
    table = read_int_table(seen.order_by(), "user_id", "id", "track_id", UnixSeconds("created_at"))
    listener, number, _track, at = table.T
    ordered = table[np.lexsort((number, at, listener))]
    return rows_by_key(ordered[:, [0, 2, 3]], [user.pk for user in users])
