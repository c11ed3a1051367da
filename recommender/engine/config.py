"""The one object that holds every number of the engine that somebody chose rather than learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Any, Self

from recommender.engine.errors import InvalidDataError

RETIRED = {"answers": {"ridge", "min_listeners", "listeners"}}
"""Settings of how a model was fitted that are no longer: one stored with them can be read all the same."""


def _signal() -> dict[str, float]:
    return {"like": 1.0, "dislike": -1.0, "completed": 0.5, "play": 0.25, "skip": -0.2}


def _half_life() -> dict[str, float]:
    return {"like": 730.0, "dislike": 730.0, "completed": 180.0, "play": 90.0, "skip": 30.0}


def _term_weights() -> dict[str, tuple[float, ...]]:
    return {
        "artist": (1.0, 1.0, 1.0, 1.0, 1.0),
        "album": (0.3, 0.3, 0.5, 0.6, 0.6),
        "genre": (1.0, 0.5, 0.3, 0.2, 0.2),
        "audio": (0.3, 0.3, 0.3, 0.3, 0.3),
        "mainstream": (0.3, 0.3, 0.3, 0.3, 0.3),
        "era": (0.4, 0.4, 0.4, 0.4, 0.4),
        "popularity": (0.5, 0.1, 0.1, 0.1, 0.1),
        "collaborative": (2.0, 2.0, 2.0, 2.0, 2.0),
        "item_to_item": (2.0, 2.0, 2.0, 2.0, 2.0),
        "ease": (0.6, 0.6, 0.6, 0.6, 0.6),
    }


def _similar_weights() -> dict[str, float]:
    return {
        "artist": 0.5,
        "album": 0.3,
        "genre": 1.0,
        "audio": 1.0,
        "mainstream": 0.1,
        "era": 0.1,
        "popularity": 0.1,
    }


@dataclass(frozen=True)
class FactorConfig:
    """Matrix factorisation (`collaborative`).

    factors: dimensions. iterations: of alternating least squares. alpha: confidence of one like beyond that of a cell
    of which nothing is known. regularisation, exponent: lambda of a row with the mean number of entries, and the power
    of its number of entries with which it grows. artist_prior: interactions an artist needs before the mean of its
    songs counts half. unheard: what the factors predicted for songs that nobody has heard are scaled by.
    content_ridge, content_genres: regularisation of factors predicted from content, genres used.
    """

    factors: int = 128
    iterations: int = 4
    alpha: float = 20.0
    regularisation: float = 30.0
    exponent: float = 0.5
    artist_prior: float = 5.0
    unheard: float = 0.5
    content_ridge: float = 50.0
    content_genres: int = 48


@dataclass(frozen=True)
class NeighbourConfig:
    """Item-to-item weights (`item_to_item`).

    kept: neighbours per song. power: both counts are taken to it (0.5 = cosine; less favours what is popular).
    length_power: a list of n songs counts n ** -length_power. shrinkage: listeners of the rarer song that halve the
    distance to its unshrunk weight. max_list: of a longer list a sample is taken, so that the work stays linear.
    """

    kept: int = 200
    power: float = 0.4
    length_power: float = 0.5
    shrinkage: float = 3.0
    max_list: int = 300


@dataclass(frozen=True)
class EaseConfig:
    """Linear autoencoder (`ease`): songs (the most played), kept weights per song, lambda, power of list lengths."""

    items: int = 4000
    kept: int = 200
    regularisation: float = 15.0
    length_power: float = 0.5


@dataclass(frozen=True)
class RankingConfig:
    """How the second stage is learned and used.

    candidates: songs the ranker orders; the rest follows in the order of the first stage. per_term: best songs of each
    term that are candidates whatever the blend says.
    held_out: share of the listeners the ranker learns from, and the factors it learns with do not. queries: how many
    times part of such a listener's list is revealed, at most, and queries_per_listener.
    min_listeners: below this nothing is learned. half_listeners: listeners at which the ranker counts half.
    prior_strength: pull of the learned weights to those of the configuration, in observations of deviation 1.
    hardest, sampled, scattered: songs not in the list that are learned from, per query: the best of the first stage, a
    sample of the other candidates, a sample of the whole catalogue (for the first stage only).
    trees, learning_rate, leaves, min_leaf, l2: of the gradient boosting.
    """

    candidates: int = 300
    per_term: int = 15
    held_out: float = 0.2
    queries: int = 1500
    queries_per_listener: int = 4
    min_listeners: int = 50
    half_listeners: float = 30.0
    prior_strength: float = 20.0
    hardest: int = 20
    sampled: int = 40
    scattered: int = 60
    trees: int = 100
    learning_rate: float = 0.06
    leaves: int = 10
    min_leaf: int = 60
    l2: float = 5.0


@dataclass(frozen=True)
class ShortlistConfig:
    """Which songs are scored at all in a catalogue of very many.

    above: songs from whose number on an approximate index finds those worth scoring; with fewer, all are scored.
    nearest: songs taken from the index for the blend as a whole, beside as many as the listener knows. own: for each
    term alone. named: of the songs that terms with few opinions name, the best. effort: share of the index that is
    looked into; more finds more, and takes longer. directions: kept in the index of a term that has more (genres).
    """

    above: int = 1_000_000
    nearest: int = 3_000
    own: int = 100
    named: int = 4_000
    effort: float = 0.1
    directions: int = 128


@dataclass(frozen=True)
class ExploringConfig:
    """Exploring on purpose.

    strength: deviation of the draw at adventure 1, in spreads of the candidates' scores, for what is wholly unknown.
    curve: the draw grows with the adventure to this power; below 1 the lower half of the dial already finds new songs.
    own: share of the draw's variance that is each song's own where the best candidates are known; the rest is that of
    the listener's taste. best: how many candidates those are. optimism: mean of a song's own draw, in its deviations.
    half_known: listeners after whom a song's own variance is half. ridge: likes that the prior of the listener's taste
    is worth. draws: pages drawn for the propensities, the shown one included.
    """

    strength: float = 5.4
    curve: float = 0.6
    own: float = 0.95
    best: int = 50
    optimism: float = 0.0
    half_known: float = 2.0
    ridge: float = 1.0
    draws: int = 128


@dataclass(frozen=True)
class AnswersConfig:
    """What likes and skips together say of other songs; see `answers`.

    weight: of the candidates' chances to be liked, in spreads of their scores, after many refusals; 0 turns it off.
    unrefused: the same while nothing was refused. half_refusals: skips and dislikes after which it is half way.
    silence: how much of a no it is that a listener has not liked a song, while nothing was refused.
    directions: of taste. deviation: of a song's loading on one. rounds: of learning them. songs: the most liked ones,
    that they are learned from.
    best: candidates of which the share that something is said of, squared, scales the weight.
    """

    weight: float = 1.2
    unrefused: float = 0.3
    half_refusals: float = 10.0
    silence: float = 0.5
    directions: int = 16
    deviation: float = 0.8
    rounds: int = 3
    songs: int = 1000
    best: int = 50


@dataclass(frozen=True)
class EngineConfig:
    """Every chosen weight of the engine; changing one means making a new object. Raises InvalidDataError.

    Feedback (read at request time)
    signal: weight of one observation by kind; a like is 1, negative pushes neighbours down.
    half_life_days: days after which an observation of that kind counts half.
    repeat_gain: each doubling of the count adds this share of the signal (log as in Hu, Koren & Volinsky 2008, eq. 6).
    max_row_weight: no song counts more than this many likes, however often it was played.
    max_songs: a taste is made of at most so many songs, those that say most; what was done with the others is no longer
    counted, so that a page takes no longer with ten years of history than with one.
    skip_share: all skips together count no more than this share of what was liked, so that a page of skips does not
    drown one like.
    stated_genre, stated_artist: weight of a stated favourite, in likes.

    Terms (read by `fit`)
    featured_artist: weight of an artist credited second or later; the first has 1.
    artist_size_exponent, artist_size_offset: an artist's affinity is divided by (tracks + offset) ** exponent, so that
    one like among three songs says more than one among three hundred.
    related_artist, related_artists_kept: weight of artists credited together with a liked one (times the cosine of
    their common credits), and how many of them are kept for each.
    genre_from_artist: share of a track's genre profile that comes from its artists' other tracks.
    genre_profile_kept: strongest genres kept per track.
    estimated_features: weight of audio features that were estimated, against measured ones.
    mainstream_bandwidth: points of popularity (0..100) within which two songs count as about equally well known.
    era_bandwidth: years within which two songs count as of about the same time.
    popularity_doubling: points of the catalogue's popularity that stand for twice the listeners.
    popularity_prior: bounds of the pseudo-count with which play counts are shrunk towards the catalogue's figure.
    region_shrinkage: listeners a region needs before its own counts weigh as much as the global ones.
    region_min_listeners: regions with fewer listeners use the global figure.
    factors, neighbours, ease: see FactorConfig, NeighbourConfig, EaseConfig.
    term_min_listeners: listeners without whom the terms that need others stay silent.

    Blend (priors until a fit learns better)
    amounts: amounts of feedback, in likes, at which term_weights are given; in between, linear in log(1 + amount).
    term_weights: weight of each term's standard score at those amounts. A term that is not listed is off.
    half_trust: listeners at which the terms that need others have half of their prior weight.
    similar_weights: the same for "songs similar to this one".
    ranking: the second stage, see RankingConfig.

    Page
    max_per_artist: songs of one credited artist on one page.
    rest_days_heard: a song played, completed or skipped within so many days is left out; rated ones always are.
    max_reasons, max_causes: terms named per song, and causes named per term.
    fatigue: what each song skipped today takes off its artist, in spreads of the candidates' scores, if nothing by that
    artist is liked; fatigue_limit: skips that count. variety: what a song loses that is just like one on the page, in
    spreads.
    ignored_times, ignored_rest_days, ignored_longest_days: a song shown so often without a reaction rests for so many
    days, twice as many after every further time, up to a limit.
    exploring, answers: see ExploringConfig, AnswersConfig.

    shortlist: see ShortlistConfig.
    """

    signal: Mapping[str, float] = field(default_factory=_signal)
    half_life_days: Mapping[str, float] = field(default_factory=_half_life)
    repeat_gain: float = 0.25
    max_row_weight: float = 2.0
    max_songs: int = 3000
    skip_share: float = 0.3
    stated_genre: float = 1.0
    stated_artist: float = 1.0

    featured_artist: float = 0.5
    artist_size_exponent: float = 0.5
    artist_size_offset: float = 1.0
    related_artist: float = 0.3
    related_artists_kept: int = 20
    genre_from_artist: float = 0.5
    genre_profile_kept: int = 8
    estimated_features: float = 0.5
    mainstream_bandwidth: float = 10.0
    era_bandwidth: float = 3.0
    popularity_doubling: float = 10.0
    popularity_prior: tuple[float, float] = (0.5, 50.0)
    region_shrinkage: float = 200.0
    region_min_listeners: int = 20
    factors: FactorConfig = field(default_factory=FactorConfig)
    neighbours: NeighbourConfig = field(default_factory=NeighbourConfig)
    ease: EaseConfig = field(default_factory=EaseConfig)
    term_min_listeners: int = 2

    amounts: tuple[float, ...] = (0.0, 1.0, 5.0, 20.0, 80.0)
    term_weights: Mapping[str, tuple[float, ...]] = field(default_factory=_term_weights)
    half_trust: float = 30.0
    similar_weights: Mapping[str, float] = field(default_factory=_similar_weights)
    ranking: RankingConfig = field(default_factory=RankingConfig)

    max_per_artist: int = 2
    rest_days_heard: float = 30.0
    max_reasons: int = 3
    max_causes: int = 3
    fatigue: float = 0.3
    fatigue_limit: float = 3.0
    variety: float = 0.1
    ignored_times: int = 3
    ignored_rest_days: float = 7.0
    ignored_longest_days: float = 180.0
    exploring: ExploringConfig = field(default_factory=ExploringConfig)
    answers: AnswersConfig = field(default_factory=AnswersConfig)

    shortlist: ShortlistConfig = field(default_factory=ShortlistConfig)

    def __post_init__(self) -> None:
        kinds = set(_signal())
        for name in ("signal", "half_life_days"):
            if set(getattr(self, name)) != kinds:
                raise InvalidDataError(f"{name}: needs exactly the kinds {sorted(kinds)}")
        if any(days <= 0 for days in self.half_life_days.values()):
            raise InvalidDataError("half_life_days: must be positive")
        if list(self.amounts) != sorted(set(self.amounts)) or self.amounts[0] != 0.0:
            raise InvalidDataError("amounts: must start with 0 and increase")
        for name, weights in self.term_weights.items():
            if len(weights) != len(self.amounts):
                raise InvalidDataError(f"term_weights[{name!r}]: needs {len(self.amounts)} values, has {len(weights)}")
        for name in ("max_per_artist", "max_songs"):
            if getattr(self, name) < 1:
                raise InvalidDataError(f"{name}: must be at least 1")

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`, also after a round trip through JSON. Raises InvalidDataError on unknown names."""
        unknown = set(values) - {f.name for f in fields(cls)}
        if unknown:
            raise InvalidDataError(f"unknown configuration: {', '.join(sorted(unknown))}")
        plain: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        if "term_weights" in plain:
            plain["term_weights"] = {name: tuple(weights) for name, weights in plain["term_weights"].items()}
        for name, retired in RETIRED.items():
            if isinstance(plain.get(name), Mapping):
                plain[name] = {key: value for key, value in plain[name].items() if key not in retired}
        nested = {f.name: type(getattr(cls(), f.name)) for f in fields(cls) if is_dataclass(getattr(cls(), f.name))}
        for name, kind in nested.items():
            if isinstance(plain.get(name), Mapping):
                try:
                    plain[name] = kind(**plain[name])
                except TypeError as error:
                    raise InvalidDataError(f"unknown configuration: {name}: {error}") from error
        return cls(**plain)
