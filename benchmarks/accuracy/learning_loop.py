"""Whether exploring pays for itself: learning curves of new sites, beside greedy, popularity and random.

The real files are needed: SPOTIFY_REC_SHARED_DATA names their folder (by default ../shared/data). Each set is a run of
``manage.py simulate --loop``; docs/evaluation.md tells the protocol.

``answers``: people who rated songs at random; the answer model is fitted on one half of them and checked on the other,
which plays. The answer model's settings were chosen on half 0; half 1 is reported. ``artists``: HetRec 2011, by lists
of artists.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.accuracy.hetrec import write_csv, write_inputs

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("SPOTIFY_REC_SHARED_DATA", ROOT.parent / "shared" / "data"))
SETS = ("answers", "artists")
LISTENERS = {"answers": 120, "artists": 60}
"""So many that a set takes a few minutes of one core."""
DIALS = ("0.1", "1")
"""Settings of the dial besides the default."""


def main() -> None:
    """Run each set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS[:1])
    parser.add_argument("--half", type=int, choices=(0, 1), default=1, help="who plays")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("more", nargs="*", help="after --, further options of simulate")
    options = parser.parse_args()
    if not (DATA / "rated-at-random.csv").is_file():
        print(f"learning_loop: skipped, the files are not in {DATA} (set SPOTIFY_REC_SHARED_DATA)")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for chosen in options.sets:
            print(f"\n--- {chosen}")
            inputs = write_answers(folder, options.half) if chosen == "answers" else artist_inputs(folder)
            numbers = {"listeners": LISTENERS[chosen], "seed": options.seed, "jobs": options.jobs}
            run([*inputs, *(f"--{key}={value}" for key, value in numbers.items()), "--dials", *DIALS, *options.more])


def write_answers(folder: Path, half: int) -> list[str]:
    """Write the answers with every second person as a test listener; return the options that name the files."""
    with (DATA / "rated-at-random.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    people = {listener: number for number, listener in enumerate(sorted({row["listener"] for row in rows}, key=int))}
    lines = [
        (row["listener"], row["track_id"], row["rating"], row["known"], str(int(people[row["listener"]] % 2 == half)))
        for row in rows
    ]
    path = folder / "answers.csv"
    write_csv(path, ("listener", "track_id", "rating", "known", "test"), lines)
    return ["--answers", str(path), "--catalogue", str(DATA / "rated-at-random-songs.csv"), "--like-from", "3"]


def artist_inputs(folder: Path) -> list[str]:
    """Write artists as tracks; return the options that name the files."""
    interactions, catalogue = write_inputs(DATA, folder)
    return ["--interactions", str(interactions), "--catalogue", str(catalogue)]


def run(options: list[str]) -> None:
    """Run the command; its tables go where ours do."""
    sys.stdout.flush()
    subprocess.run([sys.executable, "manage.py", "simulate", "--loop", *options], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
