"""All numbers of the engine that were chosen rather than learned, and the names under which models store them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Any, Self, TypeVar

from recommender.engine.data.profile import FeedbackConfig
from recommender.engine.errors import InvalidDataError
from recommender.engine.ranking.config import BlendConfig, RankingConfig
from recommender.engine.retrieval.config import RetrievalConfig
from recommender.engine.serving.config import ExploringConfig, PageConfig
from recommender.engine.terms.base import TermsConfig

STORED_NAMES: Mapping[str, str | None] = {
    "answers": None,
    "ease": None,
    "stated_genre": None,
    "stated_artist": None,
    "featured_artist": None,
    "artist_size_exponent": None,
    "artist_size_offset": None,
    "related_artist": None,
    "related_artists_kept": None,
    "genre_from_artist": None,
    "genre_profile_kept": None,
    "estimated_features": None,
    "mainstream_bandwidth": None,
    "era_bandwidth": None,
    "popularity_doubling": None,
    "popularity_prior": None,
    "term_min_listeners": None,
    "signal": "feedback.signal",
    "half_life_days": "feedback.half_life_days",
    "repeat_gain": "feedback.repeat_gain",
    "max_row_weight": "feedback.max_row_weight",
    "max_songs": "feedback.max_songs",
    "skip_share": "feedback.skip_share",
    "region_shrinkage": "terms.region_shrinkage",
    "region_min_listeners": "terms.region_min_listeners",
    "factors": "terms.factors",
    "neighbours": "terms.neighbours",
    "audio": "terms.audio",
    "preference": "terms.preference",
    "terms.factors.exponent": None,
    "terms.factors.artist_prior": None,
    "terms.factors.unheard": None,
    "terms.factors.content_ridge": None,
    "terms.factors.content_genres": None,
    "terms.neighbours.kept": "terms.neighbours.n_neighbours",
    "terms.audio.rounds": "terms.audio.n_iterations",
    "terms.audio.answers": "terms.audio.max_answers",
    "terms.audio.usual": None,
    "terms.audio.strength": None,
    "terms.audio.least": None,
    "terms.preference.directions": "terms.preference.n_factors",
    "terms.preference.rounds": "terms.preference.n_iterations",
    "terms.preference.songs": "terms.preference.n_anchor_items",
    "terms.preference.listeners": "terms.preference.max_listeners",
    "terms.preference.silences": "terms.preference.implicit_negative_weights",
    "terms.preference.silence_listeners": None,
    "terms.preference.silence": None,
    "exploring.optimism": None,
    "exploring.half_known": None,
    "exploring.curve": "exploring.exponent",
    "exploring.own": "exploring.item_share",
    "exploring.best": "exploring.top_n",
    "exploring.draws": "exploring.n_samples",
    "amounts": "blend.amounts",
    "term_weights": "blend.term_weights",
    "half_trust": "blend.shrinkage_listeners",
    "similar_weights": "blend.similar_weights",
    "ranking.half_listeners": "ranking.shrinkage_listeners",
    "ranking.hardest": "ranking.n_hard_negatives",
    "ranking.sampled": "ranking.n_candidate_negatives",
    "ranking.scattered": "ranking.n_random_negatives",
    "ranking.refusals": "ranking.negatives_weight",
    "ranking.half_refusals": "ranking.half_negatives",
    "ranking.refusals_best": "ranking.coverage_top_n",
    "max_per_artist": "page.max_per_artist",
    "rest_days_heard": "page.rest_days_heard",
    "max_reasons": "page.max_reasons",
    "max_causes": "page.max_causes",
    "fatigue": "page.skip_penalty",
    "fatigue_limit": "page.max_session_skips",
    "variety": "page.diversity",
    "ignored_times": "page.impression_limit",
    "ignored_rest_days": "page.cooldown_days",
    "ignored_longest_days": "page.max_cooldown_days",
    "shortlist": "retrieval",
    "retrieval.nearest": "retrieval.n_nearest",
    "retrieval.own": "retrieval.n_per_term",
    "retrieval.named": "retrieval.n_sparse",
    "retrieval.effort": "retrieval.probe_share",
    "retrieval.directions": "retrieval.n_dimensions",
}
"""Names under which earlier releases stored a setting, and today's; None for a setting that is gone."""


@dataclass(frozen=True)
class EngineConfig:
    """Every chosen number of the engine, one class per stage, in the order of the stages; immutable.

    Each class says what its numbers mean, and on what they were chosen.
    """

    feedback: FeedbackConfig = field(default_factory=FeedbackConfig)
    terms: TermsConfig = field(default_factory=TermsConfig)
    retrieval: RetrievalConfig = field(default_factory=RetrievalConfig)
    blend: BlendConfig = field(default_factory=BlendConfig)
    ranking: RankingConfig = field(default_factory=RankingConfig)
    exploring: ExploringConfig = field(default_factory=ExploringConfig)
    page: PageConfig = field(default_factory=PageConfig)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the inverse of `to_dict`, also after a round trip through JSON.

        Settings that an earlier release stored are read by their old names. Raise InvalidDataError on unknown ones.
        """
        return _restored(cls, _renamed(values, ""), "")


Config = TypeVar("Config")


def _restored(kind: type[Config], values: Mapping[str, Any], prefix: str) -> Config:
    """Return the configuration class `kind` with these plain values; `prefix` is its own path."""
    types = {f.name: type(getattr(kind(), f.name)) for f in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(f"{prefix}{name}" for name in set(values) - set(types))
    if unknown:
        raise InvalidDataError(f"unknown configuration: {', '.join(unknown)}")
    return kind(
        **{
            name: _restored(types[name], value, f"{prefix}{name}.") if is_dataclass(types[name]) else _tupled(value)
            for name, value in values.items()
        }
    )


def _renamed(values: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return the values, a stored tree, under today's names; values of today's names win."""
    old: dict[str, Any] = {}
    new: dict[str, Any] = {}
    for name, value in values.items():
        path = STORED_NAMES.get(prefix + name, prefix + name)
        if path is None:
            continue
        branch = old if path != prefix + name else new
        *parents, leaf = path.removeprefix(prefix).split(".")
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[leaf] = _renamed(value, f"{path}.") if isinstance(value, Mapping) else value
    return _merged(old, new)


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(old)
    for name, value in new.items():
        before = merged.get(name)
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            merged[name] = _merged(before, value)
        else:
            merged[name] = value
    return merged


def _tupled(value: Any) -> Any:
    """Return lists as tuples, also inside a mapping: JSON has lists only."""
    if isinstance(value, Mapping):
        return {name: _tupled(inner) for name, inner in value.items()}
    return tuple(value) if isinstance(value, list) else value
