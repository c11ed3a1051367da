"""What the approximate index of a very large catalogue finds and costs, beside scoring every song, in the same run.

Data are invented (see `benchmarks.invented`); needs the extra `ann`. Candidates and pages are compared row by row:
"candidates" is the share of the exact first stage's candidates that the shortlist led to as well, "page" that of the
20 songs shown. Times are of the clock and, after them, of the processor, which a busy machine does not lengthen.
Weights and ranking are learned on a catalogue of a tenth the size, which takes minutes less; both sides use the same.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.invented import Size, invent_catalogue, invent_interactions
from recommender.engine import (
    EngineConfig,
    Feedback,
    IntArray,
    Model,
    Request,
    fit_model,
    load_model,
    recommend,
    save_model,
    with_retriever,
)
from recommender.engine.serving.recommend import rank_request
from recommender.scale.faiss_index import build_index, is_installed, open_index

SONGS = 2_000_000
LISTENERS, INTERACTIONS = 5_800, 370_000
LIKES = (1, 5, 50)
ASKED = 60
"""Listeners for each number of likes."""
LEAST_RECALL = 0.98


def fit(songs: int, path: Path) -> None:
    """Fit and store the model that scores every song; weights and ranking are those of a smaller catalogue."""
    rng = np.random.default_rng(3)
    few = Size(LISTENERS // 2, songs // 10, INTERACTIONS // 2)
    small = fit_model(invent_catalogue(few.tracks, rng), invent_interactions(few, rng), EngineConfig(), rng)
    catalogue = invent_catalogue(songs, rng)
    interactions = invent_interactions(Size(LISTENERS, songs, INTERACTIONS), rng)
    save_model(fit_model(catalogue, interactions, EngineConfig(), rng, second_stage=small.second_stage), path)


def add_index(path: Path, target: Path, probe_share: float | None) -> None:
    """Build the index of the model at ``path``, store both at ``target``, and print seconds and sizes."""
    model = load_model(path)
    settings = model.config.retrieval
    settings = replace(settings, above=0, probe_share=settings.probe_share if probe_share is None else probe_share)
    model = replace(model, config=replace(model.config, retrieval=settings))
    started, before = time.perf_counter(), time.process_time()
    indexed = with_retriever(model, build_index)
    taken, used = time.perf_counter() - started, time.process_time() - before
    save_model(indexed, target)
    files = sum(file.stat().st_size for file in target.glob("shortlist.*")) / 2**20
    size = sum(file.stat().st_size for file in target.iterdir()) / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"index of {model.catalogue.n_tracks:,} songs: built in {taken:.0f} s ({used:.0f} s of processor), "
        f"{files:,.0f} MB of the version's {size:,.0f} MB, peak {peak:,.0f} MB",
        flush=True,
    )


def compare(path: Path, seed: int) -> bool:
    """Ask the stored model with and without its index, turn and turn about; print times and recall."""
    indexed = load_model(path, open_index=open_index)
    exact = replace(indexed, retriever=None)
    rng = np.random.default_rng(seed)
    heard = np.flatnonzero(indexed.attributes.listeners > 0).astype(np.int32)
    share = indexed.attributes.listeners[heard] / indexed.attributes.listeners[heard].sum()
    print("likes   exact p50/p95 ms   index p50/p95 ms  ratio   exact/index processor  candidates   page")
    is_good = True
    for likes in LIKES:
        listeners = [Feedback.likes(rng.choice(heard, size=likes, replace=False, p=share)) for _ in range(ASKED)]
        is_good &= _line(exact, indexed, listeners, likes)
    return is_good


def _line(exact: Model, indexed: Model, listeners: list[Feedback], likes: int) -> bool:
    times, candidates, pages = [], [], []
    for feedback in listeners:
        (slow, wanted), (quick, retrieved) = _page(exact, feedback), _page(indexed, feedback)
        times.append((*slow, *quick))
        pages.append(np.isin(wanted, retrieved).mean())
        of_exact, of_index = (rank_request(model, feedback, Request())[1].rows for model in (exact, indexed))
        candidates.append(np.isin(of_exact, of_index).mean())
    # The first few read the files.
    middle, high = np.percentile(times[5:], [50, 95], axis=0)
    clock = f"{middle[0]:>10.1f}/{high[0]:<7.1f} {middle[2]:>10.1f}/{high[2]:<7.1f} {middle[0] / middle[2]:>6.1f}"
    processor = f"{middle[1]:>13.1f}/{middle[3]:<9.1f}"
    print(f"{likes:>5} {clock} {processor} {np.mean(candidates):>10.4f} {np.mean(pages):>6.4f}", flush=True)
    return bool(np.mean(candidates) >= LEAST_RECALL and np.mean(pages) >= LEAST_RECALL)


def _page(model: Model, feedback: Feedback) -> tuple[tuple[float, float], IntArray]:
    """Milliseconds of the clock and of the processor, and the rows of the page."""
    started, before = time.perf_counter(), time.process_time()
    page = recommend(model, feedback, Request(), np.random.default_rng(0))
    taken, used = time.perf_counter() - started, time.process_time() - before
    return (taken * 1000, used * 1000), np.array([item.row for item in page.items], dtype=np.int32)


def main() -> int:
    """Fit, build and compare, each in a process of its own with one thread."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=int, default=SONGS)
    parser.add_argument("--seed", type=int, default=11, help="of the listeners asked")
    parser.add_argument("--effort", type=float, help="share of the index that is looked into")
    parser.add_argument("--folder", type=Path, help="keep the models here, and use those that are here")
    parser.add_argument("--step", choices=("fit", "index", "compare"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not is_installed():
        print("approximate_index: skipped, the extra `ann` is not installed")
        return 0
    if options.step:
        return _step(options)
    with tempfile.TemporaryDirectory() as name:
        folder = options.folder or Path(name)
        for step in ("fit", "index", "compare"):
            command = [sys.executable, "-m", "benchmarks.speed.approximate_index", *sys.argv[1:]]
            command += ["--folder", str(folder), "--step", step]
            threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
            status = subprocess.run(command, env={**os.environ, **threads}, check=False).returncode
            if status:
                return status
    return 0


def _step(options: argparse.Namespace) -> int:
    plain, indexed = options.folder / "exact", options.folder / "indexed"
    if options.step == "fit" and not plain.exists():
        fit(options.songs, plain)
    elif options.step == "index" and not indexed.exists():
        add_index(plain, indexed, options.probe_share)
    elif options.step == "compare":
        is_good = compare(indexed, options.seed)
        print(f"recall of {LEAST_RECALL} {'reached' if is_good else 'NOT reached'} everywhere")
        return 0 if is_good else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
