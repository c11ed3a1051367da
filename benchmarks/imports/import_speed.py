"""How long `import_tracks` takes beside a bare loader: pandas' `read_csv` and `sqlite3`'s `executemany` into one table.

Both run as processes of their own, in turns, each into a database of its own; the import's is migrated beforehand. The
real table is needed: SPOTIFY_REC_SHARED_DATA names its folder (by default ../shared/data).
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("SPOTIFY_REC_SHARED_DATA", ROOT.parent / "shared" / "data"))
GOAL = 8.0
BARE_LOADER = """
import sqlite3, sys
import pandas as pd
songs = pd.read_csv(sys.argv[1])
songs = songs.drop(columns=[name for name in songs.columns if name.startswith("Unnamed")])
database = sqlite3.connect(sys.argv[2])
database.execute(f"CREATE TABLE songs ({', '.join(songs.columns)})")
places = ", ".join("?" * len(songs.columns))
with database:
    database.executemany(f"INSERT INTO songs VALUES ({places})", songs.itertuples(index=False, name=None))
"""


def run(command: list[str], database: Path) -> tuple[float, float, float]:
    """Run a process; return its seconds, its seconds of processor time, and its peak memory in MB."""
    started = time.perf_counter()
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{database}"}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command[:4])} ... ended with {process.returncode}")
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime, peak_mb(usage)


def peak_mb(usage: resource.struct_rusage) -> float:
    """Return the peak memory in MB (macOS counts in bytes, Linux in KiB)."""
    return usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e6 / 1024)


def import_command(path: Path) -> list[str]:
    """Return the command line of an import."""
    return [sys.executable, "manage.py", "import_tracks", str(path)]


def compare(path: Path, folder: Path, runs: int) -> list[float]:
    """Print a line per run and return the ratios."""
    migrated = folder / "migrated.sqlite3"
    run([sys.executable, "manage.py", "migrate", "-v0"], migrated)
    ratios = []
    print(f"{'run':>3} {'bare loader':>12} {'import_tracks':>14} {'again':>8} {'ratio':>6} {'of cpu':>6} {'peak':>8}")
    for number in range(1, runs + 1):
        bare, database = folder / f"bare{number}.sqlite3", folder / f"site{number}.sqlite3"
        shutil.copy(migrated, database)
        bare_seconds, bare_cpu, _ = run([sys.executable, "-c", BARE_LOADER, str(path), str(bare)], database)
        seconds, cpu, peak = run(import_command(path), database)
        again, _, _ = run(import_command(path), database)
        ratios.append(seconds / bare_seconds)
        print(
            f"{number:>3} {bare_seconds:>10.2f} s {seconds:>12.2f} s {again:>6.2f} s {ratios[-1]:>6.2f} "
            f"{cpu / bare_cpu:>6.2f} {peak:>5.0f} MB"
        )
        bare.unlink()
        database.unlink()
    return ratios


def main() -> None:
    """Run the comparison, and the memory of a file almost three times as large."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--large", action="store_true", help="also import catalogue-large.csv.gz, for its memory")
    options = parser.parse_args()
    path, large = DATA / "dataset.csv", DATA / "catalogue-large.csv.gz"
    if not path.is_file():
        print(f"import speed: skipped, {path.name} is not in {DATA} (set SPOTIFY_REC_SHARED_DATA)")
        return
    with tempfile.TemporaryDirectory() as name:
        ratio = statistics.median(compare(path, Path(name), options.runs))
        print(f"import_tracks takes {ratio:.2f} times as long as the bare loader (at most {GOAL:g} wanted)")
        if options.large and large.is_file():
            database = Path(name) / "large.sqlite3"
            run([sys.executable, "manage.py", "migrate", "-v0"], database)
            seconds, _, peak = run(import_command(large), database)
            print(f"{large.name}: {seconds:.1f} s, peak {peak:.0f} MB")


if __name__ == "__main__":
    main()
