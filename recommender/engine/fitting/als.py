"""Fitting listener and item factors by alternating least squares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from recommender.engine.data.arrays import BoolArray, FloatArray, Sparse
from recommender.engine.fitting.cold_items import artist_means
from recommender.engine.fitting.solver import GramEigen, Observations, solve_rows

REGULARISATION_EXPONENT = 0.5
"""Power of a row's number of entries with which its lambda grows."""
ARTIST_PRIOR = 5.0
"""Interactions that an artist needs before the mean of its songs counts half."""


@dataclass(frozen=True)
class FactorConfig:
    """Matrix factorisation (`collaborative`).

    factors: dimensions. iterations: of alternating least squares. alpha: confidence of one like beyond that of an
    unobserved cell. regularisation: lambda of a row with the mean number of entries.

    factors is the number of `implicit`'s ALS in benchmarks/results/2026-11.md, so that quality and time compare like
    with like. The other numbers are first choices, and no search for better ones is on record.
    """

    factors: int = 128
    iterations: int = 4
    alpha: float = 20.0
    regularisation: float = 30.0


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
    by_listener, transposed = Observations.of(weights, config.alpha), weights.T.tocsr()
    by_item = Observations.of(transposed, config.alpha)
    lengths, counts = (np.diff(matrix.indptr).astype(np.float32) for matrix in (weights, transposed))
    listener_reg, item_reg = regularisation(lengths, config), regularisation(counts, config)

    def solve_listeners(items: FloatArray) -> FloatArray:
        return solve_rows(by_listener, GramEigen.of(items), listener_reg)

    def solve_items(listeners: FloatArray, prior: FloatArray | None) -> FloatArray:
        return solve_rows(by_item, GramEigen.of(listeners), item_reg, prior)

    return alternate(solve_listeners, solve_items, (lengths, counts), credits_, config, rng)


def alternate(
    solve_listeners: SolveListeners,
    solve_items: SolveItems,
    sizes: tuple[FloatArray, FloatArray],
    credits_: Sparse,
    config: FactorConfig,
    rng: np.random.Generator,
) -> Factorisation:
    """Alternate the two half-steps, which may run elsewhere. sizes: entries of each listener and of each item.

    The prior mean of an item is that of its artists' items, so that rarely played songs borrow from their artist.
    """
    lengths, counts = sizes
    items = _start(len(counts), config.factors, rng)
    for step in range(config.iterations):
        listeners = solve_listeners(items)
        # Before the first step there is nothing to take a mean of.
        prior = artist_means(items, counts, credits_, ARTIST_PRIOR) if step else None
        items = solve_items(listeners, prior)
    return Factorisation(items, items.T @ items, _mean_length(lengths))


def refresh(
    weights: Sparse, credits_: Sparse, items: FloatArray, touched: BoolArray, config: FactorConfig
) -> Factorisation:
    """Run one half-step each way from the present item factors, float32[m, f]; only `touched` items are solved."""
    by_listener, transposed = Observations.of(weights, config.alpha), weights.T.tocsr()
    counts = np.diff(transposed.indptr).astype(np.float32)
    listener_reg = regularisation(np.diff(weights.indptr).astype(np.float32), config)
    listeners = solve_rows(by_listener, GramEigen.of(items), listener_reg)
    prior = artist_means(items, counts, credits_, ARTIST_PRIOR)
    item_reg = regularisation(counts, config)
    fresh = items.copy()
    observed = Observations.of(transposed[touched], config.alpha)
    fresh[touched] = solve_rows(observed, GramEigen.of(listeners), item_reg[touched], prior[touched])
    return Factorisation(fresh, fresh.T @ fresh, _mean_length(np.diff(weights.indptr)))


def regularisation(lengths: FloatArray, config: FactorConfig, mean: float | None = None) -> FloatArray:
    """Return lambda * (entries / mean entries) ** REGULARISATION_EXPONENT of each row, float32."""
    typical = _mean_length(lengths) if mean is None else mean
    scaled = np.maximum(lengths, 1.0) / max(typical, 1.0)
    return np.asarray(config.regularisation * scaled**REGULARISATION_EXPONENT, dtype=np.float32)


def _mean_length(lengths: FloatArray) -> float:
    filled = lengths[lengths > 0]
    return float(filled.mean()) if len(filled) else 1.0


def _start(rows: int, factors: int, rng: np.random.Generator) -> FloatArray:
    return np.asarray(rng.standard_normal((rows, factors), dtype=np.float32) * np.float32(0.1 / np.sqrt(factors)))
