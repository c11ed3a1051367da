"""From a listener to candidates in final order: score, take candidates, view them as the ranker does, order them."""

from __future__ import annotations

import numpy as np

from recommender.engine.data.arrays import BoolArray, FloatArray, IntArray
from recommender.engine.data.profile import ListenerProfile
from recommender.engine.model import Model
from recommender.engine.ranking import candidate_features, candidate_rows
from recommender.engine.ranking.blend import Scores
from recommender.engine.ranking.candidates import widened
from recommender.engine.ranking.config import RankingConfig
from recommender.engine.ranking.exclusions import AllowedTracks, allowed_mask
from recommender.engine.ranking.ranked import RankedCandidates, RankerView
from recommender.engine.ranking.ranker import negative_adjustment, preference_adjustment
from recommender.engine.retrieval import QueryVectors
from recommender.engine.score import query_vectors, score
from recommender.engine.terms.preference import PreferenceTerm


def rank(
    model: Model, listener: ListenerProfile, allowed: BoolArray | AllowedTracks, adventure: float = 0.0
) -> RankedCandidates:
    """Return the candidates among the `allowed` tracks in final order; the more adventure (0..1), the more of them.

    allowed: the rules, or a mask bool[n].
    """
    config = widened(model.config.ranking, adventure)
    first_stage = _score_retrieved(model, listener, allowed, config) or score(model, listener)
    rows = candidate_rows(first_stage, allowed_mask(allowed, first_stage.rows_scored), config)
    view = _ranker_view(model, listener, first_stage, rows)
    scores = first_stage.total[first_stage.positions_of(rows)] if view is None else view.scores()
    order = np.lexsort((rows, -scores)).astype(np.int32)
    score_all = lambda: score(model, listener)  # noqa: E731
    return RankedCandidates(rows[order], scores[order], first_stage, allowed, view, order, score_all)


def _score_retrieved(
    model: Model, listener: ListenerProfile, allowed: BoolArray | AllowedTracks, config: RankingConfig
) -> Scores | None:
    """Return first-stage scores of the allowed tracks worth scoring; None where all tracks have to be scored."""
    retriever = model.retriever
    if retriever is None:
        return None
    weights = model.weights.at(listener.evidence)
    query = QueryVectors.of(model.terms, weights, listener, retriever.score_statistics)
    widening = config.candidates / model.config.ranking.candidates
    rows = retriever.rows(query, len(listener.rows), widening)
    rows = rows[allowed_mask(allowed, rows)]
    # With very many exclusions the index returns too few candidates.
    return query.at(rows) if len(rows) >= config.candidates else None


def _ranker_view(model: Model, listener: ListenerProfile, first_stage: Scores, rows: IntArray) -> RankerView | None:
    """Return how the ranker sees the candidates; None where there is no ranker, or none for so little feedback."""
    ranker = model.ranker and model.ranker.for_evidence(listener.evidence)
    if ranker is None or ranker.weight == 0.0 or not len(rows):
        return None
    liking = listener.positive_only()
    positive = first_stage if liking is listener else query_vectors(model, liking).at(np.sort(rows))
    features = candidate_features(positive, rows, model.terms, model.attributes, liking)
    opinion, parts = ranker.trees.predict(features.values), first_stage.parts_at(rows)
    adjustments = negative_adjustment(first_stage, positive, rows)
    by_likes = ranker.scores(opinion, features.parts, {})
    by_negatives = _preference_adjustment(model, listener, first_stage, rows, by_likes)
    if by_negatives is not None:
        adjustments[PreferenceTerm.name] = adjustments[PreferenceTerm.name] + by_negatives
    return RankerView(ranker, opinion, features, parts, adjustments)


def _preference_adjustment(
    model: Model, listener: ListenerProfile, first_stage: Scores, rows: IntArray, by_likes: FloatArray
) -> FloatArray | None:
    """Return what skips and dislikes add to the preference term of the candidates, beyond the blend.

    by_likes: scores by the likes alone, so that turning an artist down changes nothing here.
    """
    if not listener.n_negatives or PreferenceTerm.name not in first_stage.raw:
        return None
    known = model.term(PreferenceTerm).knows(rows)
    log_odds = first_stage.raw[PreferenceTerm.name][first_stage.positions_of(rows)]
    return preference_adjustment(log_odds, known, by_likes, listener.n_negatives, model.config.ranking)
