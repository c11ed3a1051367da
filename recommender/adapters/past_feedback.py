"""A listener's feedback as it was at earlier moments, for judging other policies on the pages of that time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from accounts.models import User
from feedback.preferences.models import Block
from feedback.taste import FeedbackEvents, ListenerHistory, ListenerPreferences, feedback_events, preferences_of
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


@dataclass(frozen=True, eq=False)
class PastListener:
    """All feedback of a listener, with its times. A rating counts from the time it was last changed; stated genres,
    artists and adjustments are today's.
    shown: int64[s, 2], ids of songs shown and when, in seconds since 1970, oldest first.
    """

    user: User
    events: FeedbackEvents
    preferences: ListenerPreferences
    blocks: tuple[PastBlock, ...]
    shown: NDArray[np.int64]

    @classmethod
    def load(cls, user: User) -> PastListener:
        """Read everything about ``user``; ten queries."""
        seen = Recommendation.objects.filter(user=user, is_shown=True).exclude(section=WEEKLY).order_by("created_at")
        shown = [(track, at.timestamp()) for track, at in seen.values_list("track_id", "created_at")]
        blocks = Block.objects.in_force().filter(user=user)
        rows = blocks.values_list("track_id", "artist_id", "genre_id", "created_at")
        return cls(
            user=user,
            events=feedback_events(user),
            preferences=preferences_of(user),
            blocks=tuple(PastBlock(track, artist, genre, at.timestamp()) for track, artist, genre, at in rows),
            shown=np.array(shown, dtype=np.int64).reshape(-1, 2),
        )

    def request_at(self, at: float, loaded: LoadedModel, k: int, adventure: float) -> tuple[Feedback, Request]:
        """Return the feedback and the request for ``k`` songs at a moment (seconds since 1970), before it happened."""
        catalogue = loaded.model.catalogue
        history: ListenerHistory = self.events.before(at)
        feedback = feedback_arrays(self.user, history, self.preferences, loaded, at)
        blocks = self._blocks_at(at)
        exclusions = exclusions_of(blocks, blocks.track_ids, catalogue)
        is_earlier = (self.shown[:, 1] < int(at)) & (self.shown[:, 1] >= at - WINDOW_DAYS * SECONDS_PER_DAY)
        shown = impressions_of(self.shown[is_earlier][-MAX_ROWS:], catalogue, feedback, at)
        return feedback, page_request(self.user, exclusions, catalogue, k, (), shown, adventure)

    def _blocks_at(self, at: float) -> ListenerPreferences:
        earlier = [block for block in self.blocks if block.at < at]
        return ListenerPreferences(
            track_ids=tuple(block.track_id for block in earlier if block.track_id is not None),
            artist_ids=tuple(block.artist_id for block in earlier if block.artist_id is not None),
            genre_ids=tuple(block.genre_id for block in earlier if block.genre_id is not None),
        )
