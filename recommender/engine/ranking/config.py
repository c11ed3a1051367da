"""Settings of the blend and of the second stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from recommender.engine.errors import InvalidDataError
from recommender.engine.terms import TERMS, Weight


def _term_weights() -> dict[str, Weight]:
    return {name: term.default_weight for name, term in TERMS.items()}


def _similar_weights() -> dict[str, float]:
    return {name: term.similar_weight for name, term in TERMS.items() if term.similar_weight}


@dataclass(frozen=True)
class BlendConfig:
    """How the terms are weighed until a fit has learned better. Raise InvalidDataError.

    amounts: amounts of evidence, in likes, at the points of a curve in term_weights; linear in log(1 + amount) between
    them.
    term_weights: weight of each term's standard score, by default the term's own. A term that is not listed is off.
    shrinkage_listeners: number of listeners at which the terms that need others have half of their prior weight.
    similar_weights: the same for "songs similar to this one".

    amounts are those at which `evaluate` measures. The weights are priors: a fit with RankingConfig.min_listeners
    listeners replaces all but similar_weights, and no search for better ones is on record.
    """

    amounts: tuple[float, ...] = (0.0, 1.0, 5.0, 20.0, 80.0)
    term_weights: Mapping[str, Weight] = field(default_factory=_term_weights)
    shrinkage_listeners: float = 30.0
    similar_weights: Mapping[str, float] = field(default_factory=_similar_weights)

    def __post_init__(self) -> None:
        if list(self.amounts) != sorted(set(self.amounts)) or self.amounts[0] != 0.0:
            raise InvalidDataError("amounts: must start with 0 and increase")
        for name, weights in self.term_weights.items():
            if isinstance(weights, tuple) and len(weights) != len(self.amounts):
                raise InvalidDataError(f"term_weights[{name!r}]: needs {len(self.amounts)} values, has {len(weights)}")


@dataclass(frozen=True)
class RankingConfig:
    """How the second stage is learned and used.

    candidates: songs the ranker orders; the rest follows in the order of the first stage. per_term: best songs of each
    term that are candidates whatever the blend says.
    held_out: share of the listeners the ranker learns from, and the factors it learns with do not. queries: how many
    times part of such a listener's list is revealed, at most, and queries_per_listener.
    min_listeners: below this nothing is learned. shrinkage_listeners: listeners at which the ranker counts half.
    prior_strength: pull of the learned weights to those of the configuration, in observations of deviation 1.
    n_hard_negatives, n_candidate_negatives, n_random_negatives: songs not in the list that are learned from, per query:
    the best of the first stage, a sample of the other candidates, a sample of the catalogue (for the first stage only).
    trees, learning_rate, leaves, min_leaf, l2: of the gradient boosting.
    negatives_weight: largest weight of the preference term for listeners with negative feedback, in standard deviations
    of the scores; half_negatives: skips and dislikes at which half of it counts; coverage_top_n: the weight is scaled
    by the squared share of the top candidates that anybody rated.

    On listeners of HetRec and of real play counts that are in no table of benchmarks/results/2026-11.md, the following
    were within chance: 600 candidates; 3,000 queries; 200 or 300 trees with a lower learning_rate; 6 or 16 leaves;
    negatives_weight 0.5 to 1.2, then with half_negatives 5 to 20. The other numbers are first choices, and no search
    for better ones is on record.
    """

    candidates: int = 300
    per_term: int = 15
    held_out: float = 0.2
    queries: int = 1500
    queries_per_listener: int = 4
    min_listeners: int = 50
    shrinkage_listeners: float = 30.0
    prior_strength: float = 20.0
    n_hard_negatives: int = 20
    n_candidate_negatives: int = 40
    n_random_negatives: int = 60
    trees: int = 100
    learning_rate: float = 0.06
    leaves: int = 10
    min_leaf: int = 60
    l2: float = 5.0
    negatives_weight: float = 0.6
    half_negatives: float = 10.0
    coverage_top_n: int = 50
