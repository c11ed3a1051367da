"""How well songs are found by what is known of the songs alone: playlists, five of whose songs are revealed.

Two cases. *Alone*: the model is fitted on nobody but the listener and their five likes, a model for each. *Among
others*: the `content` blend of a model fitted on the other four fifths of the playlists, five folds, so that every
playlist is once the listener. The playlists were split in two halves, drawn once: the settings of the content terms may
be chosen on the development half only, and the other half is what counts.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from recommender.engine import Catalogue, Feedback, Interactions, Model
    from recommender.engine.evaluation import Scorer
    from recommender.engine.evaluation.split import EvaluationQuery

REVEALED = 5
FOLDS = 5
SPLIT_SEED = 0
DRAWS = 1000
ARTIST_AND_POPULARITY = {"artist": 1.0, "popularity": 0.1}
Figures: TypeAlias = "dict[str, NDArray[np.float64]]"


def run(interactions_path: Path, catalogue_path: Path, seed: int) -> None:
    """Print both tables for each half."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "spotify_rec.settings")
    django.setup()
    from recommender.adapters.files import read_inputs
    from recommender.engine import liked_lists

    inputs = read_inputs(interactions_path, catalogue_path)
    lists = [rows for rows in liked_lists(inputs.interactions) if len(rows) > REVEALED]
    halves = np.random.default_rng(SPLIT_SEED).permutation(len(lists)) % 2 == 0
    queries = _queries(lists, np.random.default_rng(seed))
    for title, figures in (
        ("one listener alone in the database", _alone(inputs.catalogue, queries)),
        ("content terms, other listeners fitted on (five folds)", _among_others(inputs.catalogue, queries)),
    ):
        for half, chosen in (("reported half", ~halves), ("development half", halves)):
            print(f"\n--- editorial playlists, {title}: {REVEALED} likes, {int(chosen.sum())} playlists of the {half}")
            _print({name: values[chosen] for name, values in figures.items()}, np.random.default_rng(seed))


def _queries(lists: Sequence[NDArray[np.int32]], rng: np.random.Generator) -> "list[EvaluationQuery]":
    from recommender.engine.evaluation.split import EvaluationQuery as Query

    shuffled = [rng.permutation(rows) for rows in lists]
    return [Query(rows[:REVEALED], rows[REVEALED:]) for rows in shuffled]


def _alone(catalogue: "Catalogue", queries: "Sequence[EvaluationQuery]") -> Figures:
    """Return nDCG@10 of each query by scorer, float64[queries], each with a model fitted on its five likes alone."""
    from recommender.engine import EngineConfig, fit_model
    from recommender.engine.evaluation import measure, model_scorers

    names = ("audio", "popularity", "artist", "blend", "page")
    values_by_scorer: dict[str, list[float]] = {}
    for number, query in enumerate(queries):
        likes = _interactions([query.observed])
        model = fit_model(catalogue, likes, EngineConfig(), np.random.default_rng(number))
        scorers = model_scorers(model)
        chosen = _beside(model, {name: scorers[name] for name in names})
        for line in measure(chosen, catalogue, likes, {"5": [query]}, np.random.default_rng(number)):
            values_by_scorer.setdefault(line.scorer, []).append(float(line.ndcg_at_10[0]))
    return {name: np.array(values) for name, values in values_by_scorer.items()}


def _among_others(catalogue: "Catalogue", queries: "Sequence[EvaluationQuery]") -> Figures:
    """Return nDCG@10 of each query by scorer, float64[queries], its fold left out of the fit."""
    from recommender.engine import EngineConfig, fit_model
    from recommender.engine.evaluation import measure, model_scorers

    names = ("audio", "popularity", "artist", "content", "blend")
    figures: Figures = {}
    for fold in range(FOLDS):
        mine = [number for number in range(len(queries)) if number % FOLDS == fold]
        others = [queries[number] for number in range(len(queries)) if number % FOLDS != fold]
        training = _interactions([np.concatenate([query.observed, query.held_out]) for query in others])
        model = fit_model(catalogue, training, EngineConfig(), np.random.default_rng(fold))
        scorers = model_scorers(model)
        chosen = _beside(model, {name: scorers[name] for name in names})
        queries_by_reveal = {"5": [queries[number] for number in mine]}
        for line in measure(chosen, catalogue, training, queries_by_reveal, np.random.default_rng(fold)):
            figures.setdefault(line.scorer, np.zeros(len(queries)))[mine] = line.ndcg_at_10
    return figures


def _interactions(lists: Sequence[NDArray[np.int32]]) -> "Interactions":
    from recommender.engine import Interactions

    rows = np.concatenate(lists).astype(np.int32)
    listener = np.repeat(np.arange(len(lists), dtype=np.int32), [len(likes) for likes in lists])
    return Interactions(listener, rows, np.ones(len(rows), np.float32), np.full(len(lists), -1, dtype=np.int32))


def _beside(model: "Model", scorers: "Mapping[str, Scorer]") -> "dict[str, Scorer]":
    """Return the scorers with two baselines that are no row of ``evaluate``."""
    from recommender.engine.ranking.blend import blend

    def artist_and_popularity(feedback: "Feedback") -> NDArray[np.float32]:
        return blend(model.terms, ARTIST_AND_POPULARITY, model.listener(feedback)).total

    return {
        "plain audio cosine": plain_cosine(model.catalogue),
        **scorers,
        "artist + popularity": artist_and_popularity,
    }


def plain_cosine(catalogue: "Catalogue") -> "Callable[[Feedback], NDArray[np.float32]]":
    """Return the usual first try: features scaled to 0..1, cosine with the mean of the listener's songs."""
    features = np.nan_to_num(catalogue.features, nan=0.0)
    low, high = features.min(axis=0), features.max(axis=0)
    unit = (features - low) / np.maximum(high - low, 1e-9)
    unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-9)
    return lambda feedback: (unit @ unit[feedback.rows].mean(axis=0)).astype(np.float32)


def _print(figures: Figures, rng: np.random.Generator) -> None:
    """Print means, their ratios to the audio term, and 95 % percentile bootstrap intervals of both."""
    size = len(figures["audio"])
    drawn = rng.integers(size, size=(DRAWS, size))
    audio = figures["audio"][drawn].mean(axis=1)
    print(f"{'scorer':<22}{'nDCG@10':>8}  {'95 %':<13}{'x audio':>8}  95 %")
    for name, values in figures.items():
        means = values[drawn].mean(axis=1)
        low, high = np.quantile(means, [0.025, 0.975])
        ratio = np.quantile(means / np.maximum(audio, 1e-9), [0.025, 0.975])
        times = values.mean() / max(figures["audio"].mean(), 1e-9)
        print(f"{name:<22}{values.mean():>8.3f}  {low:.3f}-{high:.3f}  {times:>8.1f}  {ratio[0]:.1f}-{ratio[1]:.1f}")
