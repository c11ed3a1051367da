"""Other recommenders that are measured beside ours on the same split: those of implicit, and EASE.

They are fitted on the same training listeners and weights. Each folds in an unseen listener in its own way: ALS solves
for the listener's factors (``recalculate_user``); the item-item models and EASE sum the weights of the revealed tracks.
Tracks with equal scores are ordered by popularity, which can only improve their results.
"""

import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.linalg import lapack
from threadpoolctl import threadpool_limits

from recommender.engine import Catalogue, Feedback, FloatArray, IntArray, Interactions, as_float32, as_int32
from recommender.engine.evaluation import Scorer, ScorerFactory

ALPHA = 15.0
REGULARISATION = 0.01
ITERATIONS = 15
NEIGHBOURS = 200
EASE_TRACKS = 8000
EASE_LAMBDA = 100.0
# Far below any meaningful difference between two scores.
_TIE_BREAK = 1e-6


class PeersMissingError(Exception):
    """The library ``implicit`` is not installed."""


def peer_factories() -> dict[str, ScorerFactory]:
    """Return a function that fits each peer, by the name of its row in the report.

    Raises:
        PeersMissingError: implicit is not installed.
    """
    try:
        from implicit.nearest_neighbours import BM25Recommender, CosineRecommender
    except ImportError as error:
        raise PeersMissingError(
            "--peers needs the library `implicit`. Install it with `make bench` or `pip install '.[bench]'`."
        ) from error
    return {
        "ALS-128": partial(als, factors=128),
        "ALS-256": partial(als, factors=256),
        "cosine": partial(item_item, recommender=CosineRecommender),
        "BM25": partial(item_item, recommender=BM25Recommender),
        "EASE": ease,
    }


def als(catalogue: Catalogue, training: Interactions, rng: np.random.Generator, *, factors: int) -> Scorer:
    """Fit implicit's alternating least squares; a score is the inner product of user and item factors."""
    from implicit.cpu.als import AlternatingLeastSquares

    matrix = _matrix(catalogue, training)
    model = AlternatingLeastSquares(
        factors=factors,
        alpha=ALPHA,
        regularization=REGULARISATION,
        iterations=ITERATIONS,
        random_state=int(rng.integers(2**31)),
    )
    _fit(model, matrix)
    items = as_float32(model.item_factors)

    def score(feedback: Feedback) -> FloatArray:
        revealed = _one_listener(feedback.rows, catalogue.n_tracks)
        return as_float32(items @ np.ravel(model.recalculate_user(0, revealed)))

    return score


def item_item(
    catalogue: Catalogue, training: Interactions, rng: np.random.Generator, *, recommender: Callable[..., Any]
) -> Scorer:
    """Fit one of implicit's nearest-neighbour models; scores are sums of similarities, as in its ``recommend``."""
    del rng  # the fit is deterministic
    matrix = _matrix(catalogue, training)
    model = recommender(K=NEIGHBOURS)
    _fit(model, matrix)
    similarity = sp.csr_array(model.similarity)
    popular = _popularity(matrix)

    def score(feedback: Feedback) -> FloatArray:
        return as_float32(popular + similarity[feedback.rows].sum(axis=0))

    return score


def ease(catalogue: Catalogue, training: Interactions, rng: np.random.Generator) -> Scorer:
    """Fit EASE (Steck 2019, "Embarrassingly Shallow Autoencoders", equation 8) on the most played tracks."""
    del rng  # the fit is deterministic
    matrix = _matrix(catalogue, training)
    matrix.data[:] = 1.0
    popular = _popularity(matrix)
    tracks = as_int32(np.sort(np.argsort(-popular, kind="stable")[:EASE_TRACKS]))
    positions = np.full(catalogue.n_tracks, -1, dtype=np.int32)
    positions[tracks] = np.arange(len(tracks), dtype=np.int32)
    weights = _ease_weights(matrix[:, tracks])

    def score(feedback: Feedback) -> FloatArray:
        scores = popular.copy()
        known = positions[feedback.rows]
        scores[tracks] += weights[known[known >= 0]].sum(axis=0)
        return scores

    return score


def _ease_weights(matrix: Any) -> FloatArray:
    """Return item weights, float32[n, n] with a zero diagonal, from a binary matrix, listeners x n.

    Raise ArithmeticError if the regularised Gram matrix is not positive definite.
    """
    gram = np.asarray((matrix.T @ matrix).toarray(), dtype=np.float32, order="F")
    gram[np.diag_indices(len(gram))] += np.float32(EASE_LAMBDA)
    factor, failed = lapack.spotrf(gram, lower=1, overwrite_a=1)
    inverse, failed_too = lapack.spotri(factor, lower=1, overwrite_c=1)
    if failed or failed_too:
        raise ArithmeticError("EASE: the matrix could not be inverted")
    inverse = np.tril(inverse)
    inverse += np.tril(inverse, -1).T
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return as_float32(weights)


def _fit(model: Any, matrix: Any) -> None:
    # implicit starts its own threads, and warns if BLAS is multithreaded as well.
    with threadpool_limits(1, "blas"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(matrix, show_progress=False)


def _matrix(catalogue: Catalogue, training: Interactions) -> Any:
    """Return the positive weights, float32[listeners, n]; implicit only accepts a ``csr_matrix``."""
    liked = training.weight > 0
    cells = training.weight[liked], (training.listener[liked], training.row[liked])
    return sp.csr_matrix(cells, shape=(training.n_listeners, catalogue.n_tracks))


def _one_listener(rows: IntArray, n_tracks: int) -> Any:
    ones = np.ones(len(rows), dtype=np.float32)
    return sp.csr_matrix((ones, (np.zeros(len(rows), dtype=np.int32), rows)), shape=(1, n_tracks))


def _popularity(matrix: Any) -> FloatArray:
    """Return each track's number of listeners, float32[n], scaled so that it only breaks ties."""
    counts = np.bincount(matrix.indices, minlength=matrix.shape[1])
    return as_float32(_TIE_BREAK * counts / max(1, counts.max(initial=0)))


PEERS: Mapping[str, str] = {
    "ALS-128": f"implicit, 128 factors, alpha {ALPHA:g}, regularisation {REGULARISATION:g}",
    "ALS-256": f"implicit, 256 factors, alpha {ALPHA:g}, regularisation {REGULARISATION:g}",
    "cosine": f"implicit, {NEIGHBOURS} neighbours",
    "BM25": f"implicit, {NEIGHBOURS} neighbours",
    "EASE": f"{EASE_TRACKS:,} most played tracks, lambda {EASE_LAMBDA:g}",
}
