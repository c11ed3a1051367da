"""How good the recommendations are: on held-out listeners, on rated songs, in simulation."""

from recommender.engine.evaluation.cold_start import compare_cold
from recommender.engine.evaluation.learning_loop.answer_check import AnswerCheck
from recommender.engine.evaluation.learning_loop.curves import LearningCurve, learning_curves
from recommender.engine.evaluation.learning_loop.playing import LearningPolicy, LoopPlan, LoopRecord, Site, play_loop
from recommender.engine.evaluation.learning_loop.policies import GREEDY, explore_name, learning_policies
from recommender.engine.evaluation.learning_loop.sites import SitePlan, answering_sites, listed_sites
from recommender.engine.evaluation.metrics import Interval, bootstrap_interval
from recommender.engine.evaluation.off_policy import ESTIMATORS as OFF_POLICY_ESTIMATORS
from recommender.engine.evaluation.off_policy import (
    Doubt,
    Estimate,
    EstimatorName,
    LoggedSongs,
    OffPolicyConfig,
    OffPolicyReport,
    TargetPolicy,
    evaluate_off_policy,
)
from recommender.engine.evaluation.policies import FromScorer, model_policies, popularity, without_page_rules
from recommender.engine.evaluation.protocol import (
    EvaluationRow,
    Measured,
    compare,
    listener_share,
    measure,
    unplayed_shares,
    without_terms,
)
from recommender.engine.evaluation.rated import (
    LIKES_ONLY,
    MODEL,
    RatingEvaluationRow,
    Ratings,
    compare_ratings,
    interactions_of,
    people_by_fit,
    rating_rows,
)
from recommender.engine.evaluation.rated_listeners import DISLIKE_SHARE, rating_listeners
from recommender.engine.evaluation.scorers import Scorer, ScorerFactory, model_scorers
from recommender.engine.evaluation.sequential import LEVEL as SEQUENTIAL_LEVEL
from recommender.engine.evaluation.sequential import (
    MIN_LISTENERS,
    ListenerTotals,
    SequentialResult,
    always_valid_p,
    rate_difference,
    rate_interval,
    uneven_p,
)
from recommender.engine.evaluation.simulation import (
    Plan,
    SimulatedListener,
    SimulationRow,
    likes_by_round,
    listed,
    simulate,
)
from recommender.engine.evaluation.split import REVEALS, Reveal, Split, queries, split_listeners

__all__ = [
    "DISLIKE_SHARE",
    "GREEDY",
    "LIKES_ONLY",
    "MIN_LISTENERS",
    "MODEL",
    "OFF_POLICY_ESTIMATORS",
    "REVEALS",
    "SEQUENTIAL_LEVEL",
    "AnswerCheck",
    "Doubt",
    "Estimate",
    "EstimatorName",
    "EvaluationRow",
    "FromScorer",
    "Interval",
    "LearningCurve",
    "LearningPolicy",
    "ListenerTotals",
    "LoggedSongs",
    "LoopPlan",
    "LoopRecord",
    "Measured",
    "OffPolicyConfig",
    "OffPolicyReport",
    "Plan",
    "RatingEvaluationRow",
    "Ratings",
    "Reveal",
    "Scorer",
    "ScorerFactory",
    "SequentialResult",
    "SimulatedListener",
    "SimulationRow",
    "Site",
    "SitePlan",
    "Split",
    "TargetPolicy",
    "always_valid_p",
    "answering_sites",
    "bootstrap_interval",
    "compare",
    "compare_cold",
    "compare_ratings",
    "evaluate_off_policy",
    "explore_name",
    "interactions_of",
    "learning_curves",
    "learning_policies",
    "likes_by_round",
    "listed",
    "listed_sites",
    "listener_share",
    "measure",
    "model_policies",
    "model_scorers",
    "people_by_fit",
    "play_loop",
    "popularity",
    "queries",
    "rate_difference",
    "rate_interval",
    "rating_listeners",
    "rating_rows",
    "simulate",
    "split_listeners",
    "uneven_p",
    "unplayed_shares",
    "without_page_rules",
    "without_terms",
]
