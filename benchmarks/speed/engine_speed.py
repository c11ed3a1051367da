"""How long the engine takes to fit and to recommend, beside `implicit`'s ALS with 128 factors in the same run.

All data are invented (see `benchmarks.invented`). Without `implicit` (extra `bench`) the seconds stand alone.
"""

import argparse
import importlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from accounts.fast.memory import keep_freed_memory
from benchmarks.invented import Size, invent_catalogue, invent_interactions
from recommender.engine import (
    Catalogue,
    EngineConfig,
    Feedback,
    Interactions,
    Request,
    SecondStage,
    column_counts,
    factorise,
    fit_model,
    load_model,
    membership,
    recommend,
    save_model,
    weight_matrix,
)
from recommender.engine.evaluation import Reveal, Split, measure, model_scorers, queries, split_listeners

RETRAIN = Size(listeners=5_800, tracks=25_000, interactions=370_000)
SMALL = Size(listeners=1_600, tracks=25_000, interactions=100_000)
LARGE = Size(listeners=48_000, tracks=25_000, interactions=3_000_000)
REQUESTED = ((82_690, 15.0), (1_000_000, 150.0))
FACTOR_GOAL, RETRAIN_GOAL = 2.0, 6.0
SHOWN = ("popularity", "audio", "content", "blend")
TEST_LISTENERS = 300


def seconds_of(work: Callable[[], object]) -> float:
    """Run `work` once; return how long it took."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def peer_seconds(interactions: Interactions, n_tracks: int) -> float | None:
    """Return the fit time of implicit's ALS with 128 factors, None where it is not installed."""
    try:
        from implicit.als import AlternatingLeastSquares
    except ImportError:
        return None
    import scipy.sparse as sp

    matrix = sp.csr_matrix(weight_matrix(interactions, n_tracks))
    model = AlternatingLeastSquares(factors=128, random_state=0)
    return seconds_of(lambda: model.fit(matrix, show_progress=False))


def factor_seconds(catalogue: Catalogue, interactions: Interactions) -> float:
    """Return the time of the factor fit alone."""
    weights = weight_matrix(interactions, catalogue.n_tracks)
    heard = column_counts(weights) > 0
    credited = membership(catalogue.artist_indptr, catalogue.artist_indices, catalogue.n_artists)[heard]
    config = EngineConfig().terms.factors
    return seconds_of(lambda: factorise(weights[:, heard], credited, config, np.random.default_rng(0)))


def retrain(catalogue: Catalogue, interactions: Interactions) -> None:
    """Do what `manage.py retrain` does: fit without the test listeners, measure on them, fit on everybody."""
    config, rng = EngineConfig(), np.random.default_rng(0)
    split = split_listeners(interactions, rng)
    twin = fit_model(catalogue, split.training, config, rng)
    scorers = {name: scorer for name, scorer in model_scorers(twin).items() if name in SHOWN}
    tested = Split(split.training, split.test[:TEST_LISTENERS])
    queries_by_reveal = {label: queries(tested, Reveal(label)) for label in ("1", "5", "20", "80%")}
    measure(scorers, catalogue, split.training, queries_by_reveal, rng)
    fit_model(catalogue, interactions, config, rng, second_stage=SecondStage(twin.weights, twin.ranker))


def compare_fits() -> None:
    """Print the factor fit and the whole retrain beside the peer; reading in a library is in neither time."""
    importlib.import_module("sklearn.ensemble")
    rng = np.random.default_rng(1)
    catalogue = invent_catalogue(RETRAIN.tracks, rng)
    interactions = invent_interactions(RETRAIN, rng)
    peer = peer_seconds(interactions, catalogue.n_tracks)
    print(f"implicit ALS-128: {'not installed' if peer is None else f'{peer:.2f} s'}")
    whole = seconds_of(lambda: retrain(catalogue, interactions))
    for name, taken, goal in (
        ("factor fit", factor_seconds(catalogue, interactions), FACTOR_GOAL),
        ("whole retrain", whole, RETRAIN_GOAL),
    ):
        ratio = "" if peer is None else f", {taken / peer:.2f} times implicit (at most {goal:g} wanted)"
        print(f"{name}: {taken:.2f} s{ratio}")


def fit_alone(size: Size) -> None:
    """Fit on data of this size and print seconds and peak memory; run in a process of its own."""
    rng = np.random.default_rng(2)
    catalogue = invent_catalogue(size.tracks, rng)
    interactions = invent_interactions(size, rng)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    taken = seconds_of(lambda: fit_model(catalogue, interactions, EngineConfig(), rng))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{len(interactions.row):>9,} interactions: fit {taken:6.1f} s, peak {peak:,.0f} MB ({before:,.0f} of it data)"
    )


def serve_alone(n_tracks: int, goal: float) -> None:
    """Time requests on one thread, as in a web worker, with a stored model of so many tracks; in its own process."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "model"
        command = [sys.executable, "-m", "benchmarks.speed.engine_speed", "--store", str(n_tracks), str(path)]
        subprocess.run(command, check=True)
        keep_freed_memory()
        model = load_model(path)
        rng = np.random.default_rng(3)
        liked = model.attributes.listeners > 1
        rows = np.flatnonzero(liked).astype(np.int32)
        taken = []
        for _ in range(60):
            feedback = Feedback.likes(rng.choice(rows, size=50, replace=False))
            started = time.perf_counter()
            recommend(model, feedback, Request(k=20), rng)
            taken.append((time.perf_counter() - started) * 1000)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        middle, high = np.percentile(taken[5:], [50, 95])
        print(f"{n_tracks:>9,} tracks: p50 {middle:.1f} ms, p95 {high:.1f} ms (at most {goal:g}), peak {peak:,.0f} MB")


def share(n_tracks: int) -> None:
    """Print how much memory a second process takes that serves the same stored model of so many tracks."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "model"
        in_own_process("--store", str(n_tracks), str(path))
        size = sum(file.stat().st_size for file in path.iterdir()) / 2**20
        workers: list[subprocess.Popen[str]] = []
        sums = []
        for _ in range(2):
            workers.append(_started_worker(path))
            sums.append(sum(_proportional_mb(worker.pid) for worker in workers))
        for worker in workers:
            worker.communicate("done")
    print(f"{n_tracks:>9,} tracks: {size:,.0f} MB stored; one worker {sums[0]:,.0f} MB, both {sums[1]:,.0f} MB (Pss)")


def _started_worker(path: Path) -> subprocess.Popen[str]:
    """A process that has made some pages with the model and waits for a line."""
    command = [sys.executable, "-m", "benchmarks.speed.engine_speed", "--worker", str(path)]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    worker.stdout.readline()
    return worker


def _proportional_mb(pid: int) -> float:
    """Memory of a process in MB, what it shares counted in part (Linux)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))


def work(path: Path) -> None:
    """Make pages for invented listeners, say so, and stay until told to go."""
    model, rng = load_model(path), np.random.default_rng(3)
    for _ in range(20):
        recommend(model, Feedback.likes(rng.choice(model.catalogue.n_tracks, size=50, replace=False)), Request(), rng)
    print("ready", flush=True)
    sys.stdin.readline()


def store(n_tracks: int, path: Path) -> None:
    """Fit and write the model that `serve_alone` asks."""
    rng = np.random.default_rng(3)
    catalogue = invent_catalogue(n_tracks, rng)
    interactions = invent_interactions(replace(RETRAIN, tracks=n_tracks), rng)
    save_model(fit_model(catalogue, interactions, EngineConfig(), rng), path)


def in_own_process(*arguments: str) -> None:
    """Run a part of this benchmark where neither memory nor threads carry over."""
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"} if arguments[0] == "--serve" else {}
    command = [sys.executable, "-m", "benchmarks.speed.engine_speed", *arguments]
    subprocess.run(command, env={**os.environ, **threads}, check=True)


def main() -> None:
    """Run all parts, or one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=("fit", "linear", "serve", "share"), help="only this part")
    parser.add_argument("--size", nargs=3, type=int, help=argparse.SUPPRESS)
    parser.add_argument("--serve", nargs=2, type=float, help=argparse.SUPPRESS)
    parser.add_argument("--store", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.size:
        fit_alone(Size(*options.size))
    elif options.serve:
        serve_alone(int(options.serve[0]), options.serve[1])
    elif options.store:
        store(int(options.store[0]), Path(options.store[1]))
    elif options.worker:
        work(options.worker)
    else:
        run_parts(options.part)


def run_parts(part: str | None) -> None:
    """Run what was asked for."""
    if part in (None, "fit"):
        compare_fits()
    if part in (None, "linear"):
        for size in (SMALL, LARGE):
            in_own_process("--size", str(size.listeners), str(size.tracks), str(size.interactions))
    if part in (None, "serve"):
        for n_tracks, goal in REQUESTED:
            in_own_process("--serve", str(n_tracks), str(goal))
    if part in (None, "share"):
        share(REQUESTED[0][0])


if __name__ == "__main__":
    main()
