"""Whether a song whose tempo, key, mode and loudness alone were measured should have its other features estimated.

Half of the songs of two real sets keep these four features only, as after an analysis of their files. "unknown": the
rest stays unknown; "estimated": it is estimated from the artists' and genres' songs (`fitting.imputation`); "weighed
less": such a song counts like one that has estimates only; "before": the whole song is estimated, as it was before it
was analysed; "all known": nothing is missing. The rankings are nDCG@10 after five revealed songs, of the term that
compares sound and of all that is known of the songs. The listeners are split in two halves: the choice is made on the
development half, and the other is what counts.

The real files are needed: SPOTIFY_REC_SHARED_DATA names their folder (by default ../shared/data).
"""

from __future__ import annotations

import argparse
import csv
import gzip
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.quality import DATA, write_playlists

if TYPE_CHECKING:
    from recommender.engine import Catalogue, Model
    from recommender.engine.evaluation.split import EvaluationQuery

MEASURED = ("tempo", "key", "mode", "loudness")
SETS = ("playlists", "plays")
REVEALED, MIN_SONGS = 5, 8
OTHER_SONGS = 20_000
"""Songs of the large catalogue beside those that somebody played: all of it would take an hour."""
WAS, CHOSEN = "unknown", "estimated"
Figures: TypeAlias = "dict[str, NDArray[np.float64]]"


def main() -> None:
    """Print how far the estimates err, and the rankings of each half of the listeners."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--listeners", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if not (DATA / "taste-profile-plays.csv").is_file():
        print(f"partly_measured: skipped, the files are not in {DATA} (set SPOTIFY_REC_SHARED_DATA)")
        return
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "spotify_rec.settings")
    django.setup()
    for name in options.sets:
        catalogue, queries = _read(name, np.random.default_rng(options.seed), options.listeners)
        variants = variants_of(catalogue, np.random.default_rng(options.seed))
        print_errors(name, catalogue, variants)
        print_rankings(name, _figures(catalogue, variants, queries), options.seed)


def variants_of(catalogue: Catalogue, rng: np.random.Generator) -> dict[str, Catalogue]:
    """Return the catalogue as it is known in each case."""
    from recommender.engine.fitting.imputation import with_estimates

    other = np.array([name not in MEASURED for name in catalogue.feature_columns])
    partly = rng.random(catalogue.n_tracks) < 0.5
    features, bare = catalogue.features.copy(), catalogue.features.copy()
    features[partly[:, None] & other] = np.nan
    bare[partly] = np.nan
    known = replace(catalogue, features=features)
    estimated = with_estimates(known)
    return {
        WAS: known,
        CHOSEN: estimated,
        "weighed less": replace(estimated, features_estimated=estimated.features_estimated | partly),
        "before": with_estimates(replace(catalogue, features=bare)),
        "all known": catalogue,
    }


def print_errors(name: str, truth: Catalogue, variants: Mapping[str, Catalogue]) -> None:
    """Print the share of the variance that the estimates of each feature explain; 0 is guessing the mean."""
    print(f"\n### {name}: {truth.n_tracks:,} songs\n\n| feature | estimated | R2 |\n|---|---|---|")
    for index, feature in enumerate(truth.feature_columns):
        missing = np.isnan(variants[WAS].features[:, index])
        guessed, true = variants[CHOSEN].features[:, index], truth.features[:, index]
        judged = missing & ~np.isnan(guessed) & ~np.isnan(true)
        if judged.any():
            spread = np.square(true[judged] - np.nanmean(true[~missing])).mean()
            r2 = 1 - np.square(true[judged] - guessed[judged]).mean() / spread
            print(f"| {feature} | {judged.sum() / max(1, (missing & ~np.isnan(true)).sum()):.0%} | {r2:.2f} |")


def print_rankings(name: str, figures: Figures, seed: int) -> None:
    """Print nDCG@10 of each variant, and its paired difference from what it was, for each half of the listeners."""
    from recommender.engine.evaluation import bootstrap_interval

    size = len(next(iter(figures.values())))
    halves = np.random.default_rng(seed).permutation(size) % 2 == 0
    for half, chosen in (("development", halves), ("reported", ~halves)):
        print(f"\n### {name}, {half} half: {int(chosen.sum())} listeners\n\n| ranking | nDCG@10 | less `{WAS}` |")
        print("|---|---|---|")
        for label, values in figures.items():
            was = figures[f"{label.partition(', ')[0]}, {WAS}"]
            cells = [bootstrap_interval(part[chosen], np.random.default_rng(seed)) for part in (values, values - was)]
            shown = [f"{cell.mean:.4f} ({cell.low:.4f} to {cell.high:.4f})" for cell in cells]
            print(f"| {label} | {' | '.join(shown)} |", flush=True)


def _read(name: str, rng: np.random.Generator, limit: int) -> tuple[Catalogue, list[EvaluationQuery]]:
    from recommender.adapters.files import read_inputs
    from recommender.engine import liked_lists
    from recommender.engine.evaluation.split import EvaluationQuery as Query

    with tempfile.TemporaryDirectory() as folder:
        inputs = read_inputs(*(write_playlists(Path(folder)) if name == "playlists" else _write_plays(Path(folder))))
    lists = [rng.permutation(rows) for rows in liked_lists(inputs.interactions) if len(rows) >= MIN_SONGS]
    drawn = [lists[number] for number in rng.permutation(len(lists))[:limit]]
    return inputs.catalogue, [Query(rows[:REVEALED], rows[REVEALED:]) for rows in drawn]


def _write_plays(folder: Path) -> tuple[Path, Path]:
    """Write the part of the large catalogue that is used."""
    plays, target, left = DATA / "taste-profile-plays.csv", folder / "songs.csv", OTHER_SONGS
    with plays.open(encoding="utf-8", newline="") as file:
        played = {row["track_id"] for row in csv.DictReader(file)}
    with (
        gzip.open(DATA / "catalogue-large.csv.gz", "rt", encoding="utf-8", newline="") as source,
        target.open("w", encoding="utf-8", newline="") as file,
    ):
        rows = csv.DictReader(source)
        assert rows.fieldnames is not None
        writer = csv.DictWriter(file, rows.fieldnames)
        writer.writeheader()
        for row in rows:
            if row["track_id"] in played or left > 0:
                left -= row["track_id"] not in played
                writer.writerow(row)
    return plays, target


def _figures(catalogue: Catalogue, variants: Mapping[str, Catalogue], queries: Sequence[EvaluationQuery]) -> Figures:
    """Return nDCG@10 of each query by ranking and variant; nothing is learned from other listeners."""
    from recommender.engine import Interactions
    from recommender.engine.evaluation import measure, model_scorers

    figures: Figures = {}
    base = _base(catalogue)
    for variant, known in variants.items():
        scorers = model_scorers(_with_sound(base, known))
        chosen = {label: scorers[label] for label in ("audio", "content")}
        rng = np.random.default_rng(0)
        for line in measure(chosen, catalogue, Interactions.empty(), {"5": queries}, rng):
            figures[f"{line.scorer}, {variant}"] = line.ndcg_at_10
    return dict(sorted(figures.items(), key=lambda item: item[0].partition(", ")[0]))


def _base(catalogue: Catalogue) -> Model:
    from recommender.engine import EngineConfig, Interactions, SecondStage, fit_model
    from recommender.engine.ranking.blend import BlendWeights

    config = EngineConfig()
    nothing_learned = SecondStage(BlendWeights.prior(config.blend), None)
    rng = np.random.default_rng(0)
    return fit_model(catalogue, Interactions.empty(), config, rng, second_stage=nothing_learned)


def _with_sound(base: Model, known: Catalogue) -> Model:
    """Return the model with the term of sound fitted on what is known."""
    from recommender.engine import TERMS, Interactions, no_progress

    rng = np.random.default_rng(0)
    audio = TERMS["audio"].fit(known, Interactions.empty(), base.config.terms, rng, no_progress)
    return replace(base, catalogue=known, terms={**base.terms, "audio": audio})


if __name__ == "__main__":
    main()
