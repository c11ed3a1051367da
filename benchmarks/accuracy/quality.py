"""What is found of the tracks of listeners never trained on, beside implicit and EASE, on three sets of real lists.

The real files are needed: SPOTIFY_REC_SHARED_DATA names their folder (by default ../shared/data). Each set is a run of
``manage.py evaluate --peers``; docs/evaluation.md tells the protocol. A listener's taste is wider than a playlist.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.accuracy import without_listeners
from benchmarks.accuracy.hetrec import write_csv, write_inputs

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("SPOTIFY_REC_SHARED_DATA", ROOT.parent / "shared" / "data"))
SETS = ("plays", "playlists", "content", "hetrec")
PUBLISHED = {"popularity": 0.076, "cosine": 0.214, "EASE": 0.236}


def main() -> None:
    """Run each set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if not (DATA / "taste-profile-plays.csv").is_file():
        print(f"quality: skipped, the files are not in {DATA} (set SPOTIFY_REC_SHARED_DATA)")
        return
    with tempfile.TemporaryDirectory() as name:
        for chosen in options.sets:
            runs = {"plays": run_plays, "playlists": run_playlists, "content": run_content, "hetrec": run_hetrec}
            runs[chosen](Path(name), options.seed)


def run_plays(_folder: Path, seed: int) -> None:
    """Real play counts, ranked among a quarter of a million songs."""
    print("\n--- real play counts, the large catalogue")
    evaluate(DATA / "taste-profile-plays.csv", DATA / "catalogue-large.csv.gz", seed)


def run_playlists(folder: Path, seed: int) -> None:
    """Playlists as listeners, also with only songs to be found that nobody has, which is most of what they hold.

    The playlists' genres are not used: the import reads none of a playlist's columns.
    """
    interactions, path = write_playlists(folder)
    print("\n--- editorial playlists as listeners")
    evaluate(interactions, path, seed)
    print("\n--- editorial playlists as listeners, cold tracks only")
    evaluate(interactions, path, seed, "--cold-tracks")


def run_content(folder: Path, seed: int) -> None:
    """Playlists found by what is known of the songs: one listener alone, and the content terms among others."""
    without_listeners.run(*write_playlists(folder), seed)


def write_playlists(folder: Path) -> tuple[Path, Path]:
    """Write the playlists as interactions into ``folder``; return that path and the catalogue's."""
    path, interactions = DATA / "playlist-songs.csv", folder / "playlists.csv"
    with path.open(encoding="utf-8", newline="") as file:
        pairs = dict.fromkeys((row["playlist_id"], row["track_id"]) for row in csv.DictReader(file))
    write_csv(interactions, ("listener", "track_id"), pairs)
    return interactions, path


def run_hetrec(folder: Path, seed: int) -> None:
    """Artists as tracks; first every listener trained on with 80 % of their artists, as others published it."""
    interactions, catalogue = write_inputs(DATA, folder)
    print(
        "\n--- HetRec 2011: a fifth of each listener's artists to be found, the other four fifths trained on (nDCG@10)"
    )
    for scorer, figure in eighty_twenty(interactions, catalogue, seed).items():
        beside = f"   elsewhere {PUBLISHED[scorer]:.3f}" if scorer in PUBLISHED else ""
        print(f"{scorer:<14} {figure:.3f}{beside}")
    print("\n--- HetRec 2011: listeners never trained on")
    evaluate(interactions, catalogue, seed)


def evaluate(interactions: Path, catalogue: Path, seed: int, *more: str) -> None:
    """Run the command; its tables go where ours do."""
    command = [sys.executable, "manage.py", "evaluate", "--peers", "--interactions", str(interactions)]
    command += ["--catalogue", str(catalogue), "--seed", str(seed), *more]
    sys.stdout.flush()
    subprocess.run(command, cwd=ROOT, check=True)


def eighty_twenty(interactions_path: Path, catalogue_path: Path, seed: int) -> dict[str, float]:
    """Return nDCG@10 by scorer, a random fifth of every listener's tracks held out and all else trained on."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "spotify_rec.settings")
    django.setup()
    from recommender.adapters.files import read_inputs
    from recommender.engine import EngineConfig, Interactions
    from recommender.engine.evaluation import measure
    from recommender.engine.evaluation.scorers import fit_scorers
    from recommender.engine.evaluation.split import EvaluationQuery
    from recommender.operators.peers import peer_factories

    inputs = read_inputs(interactions_path, catalogue_path)
    every = inputs.interactions
    draw_rng, fit_rng, other_rng, judge_rng = np.random.default_rng(seed).spawn(4)
    shuffled = draw_rng.permutation(len(every.row))
    order = shuffled[np.argsort(every.listener[shuffled], kind="stable")]
    starts = np.searchsorted(every.listener[order], every.listener[order])
    sizes = np.bincount(every.listener, minlength=every.n_listeners)[every.listener[order]]
    is_train = np.zeros(len(order), dtype=np.bool_)
    is_train[order] = np.arange(len(order)) - starts < np.round(0.8 * sizes)
    training = Interactions(every.listener[is_train], every.row[is_train], every.weight[is_train], every.region)
    questions = []
    for listener in range(every.n_listeners):
        mine = every.listener == listener
        question = EvaluationQuery(every.row[mine & is_train], every.row[mine & ~is_train])
        if len(question.observed) and len(question.held_out):
            questions.append(question)
    scorers = fit_scorers(inputs.catalogue, training, EngineConfig(), fit_rng, other_rng, peer_factories())
    measured = measure(scorers, inputs.catalogue, training, {"80%": questions}, judge_rng)
    return {line.scorer: float(line.ndcg_at_10.mean()) for line in measured}


if __name__ == "__main__":
    main()
