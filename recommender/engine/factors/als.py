"""Fitting listener and item factors by alternating least squares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from recommender.engine.arrays import BoolArray, FloatArray, Sparse
from recommender.engine.config import FactorConfig
from recommender.engine.factors.content import artist_means
from recommender.engine.factors.solver import Gram, Observed, solve_rows


@dataclass(frozen=True, eq=False)
class Factorisation:
    """items: float32[m, f], one row per column of the interactions; gram: float32[f, f] = items' items.

    mean_length: interactions of a listener on average, which the regularisation of a fold-in is measured by.
    """

    items: FloatArray
    gram: FloatArray
    mean_length: float


SolveListeners = Callable[[FloatArray], FloatArray]
"""Item factors float32[m, f] to the listeners' factors float32[n, f]."""
SolveItems = Callable[[FloatArray, FloatArray | None], FloatArray]
"""Listener factors float32[n, f], and the items' prior means float32[m, f] or None, to item factors float32[m, f]."""


def factorise(weights: Sparse, credits_: Sparse, config: FactorConfig, rng: np.random.Generator) -> Factorisation:
    """Factorise signed weights (listeners x items, every item with an entry); credits_: items x artists.

    The regularisation of a row grows with a power of its number of entries (Rendle et al., "Revisiting the Performance
    of iALS on Item Recommendation Benchmarks", RecSys 2022).
    """
    by_listener, transposed = Observed.of(weights, config.alpha), weights.T.tocsr()
    by_item = Observed.of(transposed, config.alpha)
    lengths, counts = (np.diff(matrix.indptr).astype(np.float32) for matrix in (weights, transposed))
    listener_reg, item_reg = regularisation(lengths, config), regularisation(counts, config)

    def solve_listeners(items: FloatArray) -> FloatArray:
        return solve_rows(by_listener, Gram.of(items), listener_reg)

    def solve_items(listeners: FloatArray, prior: FloatArray | None) -> FloatArray:
        return solve_rows(by_item, Gram.of(listeners), item_reg, prior)

    return alternate(solve_listeners, solve_items, (lengths, counts), credits_, config, rng)


def alternate(
    solve_listeners: SolveListeners,
    solve_items: SolveItems,
    sizes: tuple[FloatArray, FloatArray],
    credits_: Sparse,
    config: FactorConfig,
    rng: np.random.Generator,
) -> Factorisation:
    """Alternate the two half-steps, wherever they are computed. sizes: entries of each listener and of each item.

    An item's prior mean is that of its artists' items: what is known of an artist carries over to the songs that few
    have heard.
    """
    lengths, counts = sizes
    items = _start(len(counts), config.factors, rng)
    for step in range(config.iterations):
        listeners = solve_listeners(items)
        # Before the first step there is nothing to take a mean of.
        prior = artist_means(items, counts, credits_, config.artist_prior) if step else None
        items = solve_items(listeners, prior)
    return Factorisation(items, items.T @ items, _mean_length(lengths))


def refresh(
    weights: Sparse, credits_: Sparse, items: FloatArray, touched: BoolArray, config: FactorConfig
) -> Factorisation:
    """One half-step each way from the item factors there are, float32[m, f]; only `touched` are solved anew."""
    by_listener, transposed = Observed.of(weights, config.alpha), weights.T.tocsr()
    counts = np.diff(transposed.indptr).astype(np.float32)
    listener_reg = regularisation(np.diff(weights.indptr).astype(np.float32), config)
    listeners = solve_rows(by_listener, Gram.of(items), listener_reg)
    prior = artist_means(items, counts, credits_, config.artist_prior)
    item_reg = regularisation(counts, config)
    fresh = items.copy()
    observed = Observed.of(transposed[touched], config.alpha)
    fresh[touched] = solve_rows(observed, Gram.of(listeners), item_reg[touched], prior[touched])
    return Factorisation(fresh, fresh.T @ fresh, _mean_length(np.diff(weights.indptr)))


def regularisation(lengths: FloatArray, config: FactorConfig, mean: float | None = None) -> FloatArray:
    """lambda * (entries / mean entries) ** exponent of each row, float32."""
    typical = _mean_length(lengths) if mean is None else mean
    scaled = np.maximum(lengths, 1.0) / max(typical, 1.0)
    return np.asarray(config.regularisation * scaled**config.exponent, dtype=np.float32)


def _mean_length(lengths: FloatArray) -> float:
    filled = lengths[lengths > 0]
    return float(filled.mean()) if len(filled) else 1.0


def _start(rows: int, factors: int, rng: np.random.Generator) -> FloatArray:
    return np.asarray(rng.standard_normal((rows, factors), dtype=np.float32) * np.float32(0.1 / np.sqrt(factors)))
