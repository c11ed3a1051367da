"""What each term earns: the whole model beside the model without it, on four sets of real lists and answers.

The terms are fitted once per set and seed, as none depends on another; without one of them the weights of the blend and
the ranker are learned anew, with the same random numbers. The intervals are over people and do not cover what chance
does in that learning; the row of a term that has nothing to say on a set shows how much it is. "scalar weights": no
weight depends on how much is known of a listener.

The real files are needed: SPOTIFY_REC_SHARED_DATA names their folder (by default ../shared/data). An hour and more;
--sets, --terms and --seeds choose some of it.
"""

import argparse
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.hetrec import write_inputs
from benchmarks.accuracy.quality import DATA, write_playlists
from recommender.engine import TERMS, Catalogue, EngineConfig, Interactions, Model, SecondStage, fit_model, no_progress
from recommender.engine.evaluation import (
    MODEL,
    Interval,
    Reveal,
    bootstrap_interval,
    interactions_of,
    measure,
    model_scorers,
    people_by_fit,
    queries,
    split_listeners,
    without_terms,
)
from recommender.engine.evaluation.rated import RatingTally, rating_queries
from recommender.engine.evaluation.rated import model_scorers as answer_scorers
from recommender.engine.fit import prior_weights
from recommender.engine.ranking.blend import BlendWeights
from recommender.engine.ranking.training import fit_second_stage
from recommender.engine.terms import Term

LISTS, ANSWERS = ("1", "5", "20", "80%"), ("5", "20", "50")
SETS = ("hetrec", "playlists", "plays", "answers")
FOLDS = 5
LIKE_FROM = 3.0
WHOLE, SCALAR = "whole", "scalar weights"
VARIANTS = (*TERMS, SCALAR)
Figures: TypeAlias = "dict[str, NDArray[np.float64]]"
"""By amount revealed, person by person: nDCG@10, or AUC of answers."""
Measure: TypeAlias = "Callable[[Mapping[str, EngineConfig], int], Iterator[tuple[str, Figures]]]"
"""From configurations by variant and a seed to the figures of each variant, one after the other."""


def main() -> None:
    """Measure what was asked for and print a table per set and seed, row by row as they are known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--terms", nargs="+", choices=VARIANTS, default=VARIANTS, metavar="TERM")
    parser.add_argument("--seeds", nargs="+", type=int, default=(0, 1))
    parser.add_argument("--folds", type=int, default=FOLDS, help="of the answers; 1: one fifth of the people is tested")
    options = parser.parse_args()
    if not (DATA / "taste-profile-plays.csv").is_file():
        print(f"leave_one_out: skipped, the files are not in {DATA} (set SPOTIFY_REC_SHARED_DATA)")
        return
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "spotify_rec.settings")
    django.setup()
    configs = {name: config_of(name, EngineConfig()) for name in (WHOLE, *options.terms)}
    for name in options.sets:
        measured = _answers(options.folds) if name == "answers" else _lists(name)
        for seed in options.seeds:
            print_table(f"{name}, seed {seed}", measured(configs, seed), seed)


def config_of(variant: str, config: EngineConfig) -> EngineConfig:
    """Return the configuration of the whole model, or of a variant of it."""
    if variant == WHOLE:
        return config
    if variant != SCALAR:
        return without_terms(config, [variant])
    means = {name: (float(np.mean(weights)),) for name, weights in config.blend.term_weights.items()}
    return replace(config, blend=replace(config.blend, amounts=(0.0,), term_weights=means))


@dataclass(frozen=True, eq=False)
class Fitted:
    """What all variants share: terms fitted on all training listeners, and those to learn the second stage with."""

    base: Model
    interactions: Interactions
    bench_terms: Callable[[Interactions], dict[str, Term]]
    stage_rng: np.random.Generator

    @classmethod
    def of(
        cls, catalogue: Catalogue, interactions: Interactions, config: EngineConfig, rng: np.random.Generator
    ) -> Self:
        """Fit the terms, with the random numbers that `fit_model` draws from `rng`."""
        nothing_learned = SecondStage(BlendWeights.prior(config.blend), None)
        base = fit_model(catalogue, interactions, config, deepcopy(rng), second_stage=nothing_learned)
        term_rng, stage_rng = deepcopy(rng).spawn(2)
        seed = int(term_rng.integers(2**63))
        fitted: dict[str, Term] = {}

        def bench_terms(seen: Interactions) -> dict[str, Term]:
            # The same listeners are held out for every variant, as they are drawn alike.
            if not fitted:
                streams = np.random.default_rng(seed).spawn(len(TERMS))
                for (name, term), own in zip(TERMS.items(), streams, strict=True):
                    fitted[name] = term.fit(base.catalogue, seen, config.terms, own, no_progress)
            return fitted

        return cls(base, interactions, bench_terms, stage_rng)

    def model(self, config: EngineConfig) -> Model:
        """The model that `fit_model` makes with a configuration that differs in nothing the terms read."""
        base = self.base
        prior = prior_weights(self.interactions, base.terms, config)
        data = base.catalogue, self.interactions, prior
        stage = fit_second_stage(*data, self.bench_terms, config, deepcopy(self.stage_rng), no_progress)
        content = stage.content or BlendWeights.prior(config.blend).without(
            [name for name, term in base.terms.items() if term.is_collaborative]
        )
        return replace(base, config=config, weights=stage.weights, content_weights=content, ranker=stage.ranker)


# --- the sets --------------------------------------------------------------------------------------------------------
def _lists(name: str) -> Measure:
    """nDCG@10 on listeners never trained on, split and asked as by `manage.py evaluate`."""
    from recommender.adapters.files import read_inputs

    with tempfile.TemporaryDirectory() as folder:
        interactions, catalogue = _files(name, Path(folder))
        inputs = read_inputs(interactions, catalogue)

    def measured(configs: Mapping[str, EngineConfig], seed: int) -> Iterator[tuple[str, Figures]]:
        split_rng, fit_rng, _, judge_rng = np.random.default_rng(seed).spawn(4)
        split = split_listeners(inputs.interactions, split_rng)
        queries_by_reveal = {label: queries(split, Reveal(label)) for label in LISTS}
        fitted = Fitted.of(inputs.catalogue, split.training, configs[WHOLE], fit_rng)
        for variant, config in configs.items():
            scorers = {variant: model_scorers(fitted.model(config))["blend"]}
            lines = measure(scorers, inputs.catalogue, split.training, queries_by_reveal, deepcopy(judge_rng))
            yield variant, {line.reveal: line.ndcg_at_10 for line in lines}

    return measured


def _files(name: str, folder: Path) -> tuple[Path, Path]:
    """Interactions and catalogue of a set of lists."""
    if name == "hetrec":
        return write_inputs(DATA, folder)
    if name == "playlists":
        return write_playlists(folder)
    return DATA / "taste-profile-plays.csv", DATA / "catalogue-large.csv.gz"


def _answers(folds: int) -> Measure:
    """AUC of answers to songs shown at random, as by `manage.py evaluate --answers --folds`."""
    from recommender.adapters.rated_files import read_answers

    inputs = read_answers(DATA / "rated-at-random.csv", DATA / "rated-at-random-songs.csv", LIKE_FROM)
    answered = inputs.answered

    def measured(configs: Mapping[str, EngineConfig], seed: int) -> Iterator[tuple[str, Figures]]:
        order_rng, split_rng, fit_rng, _ = np.random.default_rng(seed).spawn(4)
        order = order_rng.permutation(len(answered.row))
        parts = people_by_fit(answered, split_rng, folds if folds > 1 else None)
        fits = [
            Fitted.of(inputs.catalogue, interactions_of(answered, ~part), configs[WHOLE], own)
            for part, own in zip(parts, fit_rng.spawn(len(parts)), strict=True)
        ]
        for variant, config in configs.items():
            tally = RatingTally()
            for fitted, part in zip(fits, parts, strict=True):
                scorers = {variant: answer_scorers(fitted.model(config))[MODEL]}
                for label in ANSWERS:
                    tally.add(scorers, label, rating_queries(answered, order, part, Reveal(label)))
            yield variant, {line.reveal: line.auc for line in tally.measured(ANSWERS)}

    return measured


# --- what is printed -------------------------------------------------------------------------------------------------
def print_table(title: str, measured: Iterable[tuple[str, Figures]], seed: int) -> None:
    """Print the figures of the whole model, which comes first, and the paired difference of each variant to it."""
    whole: Figures = {}
    for variant, figures in measured:
        if not whole:
            whole = figures
            print(f"\n### {title}\n")
            _print_row("", [f"{label} ({len(values)} people)" for label, values in whole.items()])
            _print_row("---", ["---"] * len(whole))
            _print_row(f"{WHOLE} model", [_with_bounds(_interval(values, seed)) for values in whole.values()])
            continue
        name = variant if variant == SCALAR else f"without `{variant}`"
        _print_row(name, [_difference(_interval(figures[label] - whole[label], seed)) for label in whole])


def _interval(values: NDArray[np.float64], seed: int) -> Interval:
    """95 % bootstrap interval of a mean; all are drawn alike."""
    return bootstrap_interval(values, np.random.default_rng(seed))


def _with_bounds(interval: Interval) -> str:
    return f"{interval.mean:.3f} ({interval.low:.3f}-{interval.high:.3f})"


def _difference(interval: Interval) -> str:
    return f"{interval.mean:+.3f} ({interval.low:+.3f} to {interval.high:+.3f})"


def _print_row(first: str, cells: Sequence[str]) -> None:
    print(f"| {' | '.join([first, *cells])} |", flush=True)


if __name__ == "__main__":
    main()
