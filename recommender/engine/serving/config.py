"""Settings of a page: its rules, and how far it explores."""

from __future__ import annotations

from dataclasses import dataclass

from recommender.engine.errors import InvalidDataError


@dataclass(frozen=True)
class ExploringConfig:
    """How far a page explores.

    strength: deviation of the draw at adventure 1, in spreads of the candidates' scores, for what is wholly unknown.
    exponent: the draw grows with the adventure to this power; below 1 the lower half of the dial already finds new
    songs. item_share: share of the draw's variance that is each song's own where the top candidates are known; the rest
    is that of the listener's taste where they are unknown. top_n: how many candidates those are. ridge: likes that the
    prior of the listener's taste is worth. n_samples: pages drawn for the propensities, the shown one included.

    strength was chosen in sessions on HetRec without its 100 most played artists, where the default dial may cost 5 %
    of the likes.
    """

    strength: float = 4.7
    exponent: float = 0.6
    item_share: float = 0.95
    top_n: int = 50
    ridge: float = 1.0
    n_samples: int = 128


@dataclass(frozen=True)
class PageConfig:
    """The rules of a page. Raise InvalidDataError.

    max_per_artist: songs of one credited artist on one page. rest_days_heard: a song played, completed or skipped
    within so many days is left out; rated ones always are. max_reasons, max_causes: terms named per song, and causes
    named per term.
    skip_penalty: what each song skipped today takes off its artist, in standard deviations of the candidates' scores,
    if nothing by that artist is liked; max_session_skips: skips that count. diversity: what a song loses whose vector
    equals that of another one on the page, in standard deviations.
    impression_limit, cooldown_days, max_cooldown_days: a song shown so often without a reaction is left out for so many
    days, twice as many after every further time, up to a limit.

    These are rules of the house rather than results: no search for better ones is on record.
    """

    max_per_artist: int = 2
    rest_days_heard: float = 30.0
    max_reasons: int = 3
    max_causes: int = 3
    skip_penalty: float = 0.3
    max_session_skips: float = 3.0
    diversity: float = 0.1
    impression_limit: int = 3
    cooldown_days: float = 7.0
    max_cooldown_days: float = 180.0

    def __post_init__(self) -> None:
        if self.max_per_artist < 1:
            raise InvalidDataError("max_per_artist: must be at least 1")
