"""How probably a policy shows each song on one page, for comparing policies on logged pages (`off_policy`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from recommender.engine.data import Feedback
from recommender.engine.data.arrays import IntArray, csr_slice, top_rows
from recommender.engine.model import Model
from recommender.engine.ranking.exclusions import known_rows
from recommender.engine.serving.explore import propensities
from recommender.engine.serving.impressions import in_cooldown
from recommender.engine.serving.mmr import pick_pages
from recommender.engine.serving.policy import build_pool, exploring_draws
from recommender.engine.serving.recommend import Request, allowed_tracks, rank_request

Probabilities: TypeAlias = NDArray[np.float64]
JudgedPolicy: TypeAlias = Callable[[Model, Feedback, Request, np.random.Generator], Probabilities]
"""From a request to the probability with which each track of the model is on the page, float64[n_tracks]."""


def model_probabilities(model: Model, feedback: Feedback, request: Request, rng: np.random.Generator) -> Probabilities:
    """Return the probabilities of the page that `recommend` shows; estimated as its propensities are.

    Songs from beyond the candidates, which only a catalogue of very few artists needs, are left out.
    """
    listener, ranked = rank_request(model, feedback, request)
    pool = build_pool(model, ranked, feedback, listener, request.adventure)
    draws = exploring_draws(pool, model.config.exploring, request.adventure, rng)
    scores = pool.scores[None, :] if draws is None else pool.scores + draws
    shown = propensities(pick_pages(scores, request.k, pool.constraints, pool.mmr), len(pool.rows))
    probability = np.zeros(model.catalogue.n_tracks)
    probability[pool.rows] = shown
    return probability


def popularity_probabilities(
    model: Model, feedback: Feedback, request: Request, _rng: np.random.Generator
) -> Probabilities:
    """Return 1 for the most popular songs that the listener may be shown, else 0; nothing is drawn."""
    nobody = model.listener(Feedback())
    allowed = _allowed(model, feedback, request)
    scores = np.where(allowed, model.terms["popularity"].score(nobody), -np.inf).astype(np.float32)
    probability = np.zeros(model.catalogue.n_tracks)
    probability[top_rows(scores, min(request.k, int(allowed.sum())))] = 1.0
    return probability


def random_probabilities(
    model: Model, feedback: Feedback, request: Request, _rng: np.random.Generator
) -> Probabilities:
    """Return the same probability for every song that the listener may be shown; nothing is drawn."""
    allowed = _allowed(model, feedback, request)
    return np.asarray(allowed * min(1.0, request.k / max(int(allowed.sum()), 1)), dtype=np.float64)


def _allowed(model: Model, feedback: Feedback, request: Request) -> NDArray[np.bool_]:
    shown: IntArray = request.shown.rows[in_cooldown(request.shown, model.config)]
    excluded = np.concatenate([known_rows(feedback, model.config), shown, request.excluded]).astype(np.int32)
    return allowed_tracks(model.catalogue, excluded, request).mask()


def song_features(model: Model, feedback: Feedback, rows: IntArray) -> NDArray[np.float64]:
    """Return what a reward is predicted from, float64[len(rows), 3], each in 0..1.

    How well known a song is (log of its listeners), whether the listener knows it, and whether they know its artist.
    """
    catalogue = model.catalogue
    listeners = np.log1p(model.attributes.listeners.astype(np.float64))
    known_artists = np.zeros(catalogue.n_artists, dtype=np.bool_)
    known_artists[catalogue.artist_indices[csr_slice(catalogue.artist_indptr, feedback.rows)[1]]] = True
    owner, position = csr_slice(catalogue.artist_indptr, rows)
    by_artist = np.zeros(len(rows))
    np.maximum.at(by_artist, owner, known_artists[catalogue.artist_indices[position]].astype(np.float64))
    known = np.isin(rows, feedback.rows).astype(np.float64)
    return np.column_stack([listeners[rows] / max(float(listeners.max(initial=0.0)), 1.0), known, by_artist])
