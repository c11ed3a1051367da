"""Run the benchmarks one after the other: ``python -m benchmarks [NAME ...] [--list]``.

A benchmark is a module in a room of this package with a ``main`` that it runs as a script; its docstring's first line
says what it measures. Each runs in a process of its own, so that neither memory nor warm caches carry over, and can be
run alone with ``python -m benchmarks.ROOM.NAME``, which takes its options.
"""

import argparse
import ast
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

PACKAGE_DIR = Path(__file__).resolve().parent


def main() -> int:
    """Run what was asked for and return the exit status: 1 if any of them failed."""
    known = find_benchmarks()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Run benchmarks and print their tables.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known) or 'none yet'} (default: all)")
    parser.add_argument("--list", action="store_true", help="only say which benchmarks there are")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.names) - set(known)):
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(known) or 'none yet'}")
    names = arguments.names or list(known)
    if arguments.list:
        print("\n".join(f"{name}: {known[name].title}" for name in names))
        return 0
    failed = [name for name in names if not run(known[name])]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


class Benchmark(NamedTuple):
    """A module that measures something."""

    module: str
    title: str


def find_benchmarks() -> dict[str, Benchmark]:
    """Return each module in a room here that has a ``main``, by the module's name."""
    benchmarks = {}
    for path in sorted(PACKAGE_DIR.glob("*/[!_]*.py"), key=lambda path: path.stem):
        module = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in module.body):
            title = (ast.get_docstring(module) or "").partition("\n")[0]
            benchmarks[path.stem] = Benchmark(f"benchmarks.{path.parent.name}.{path.stem}", title)
    return benchmarks


def run(benchmark: Benchmark) -> bool:
    """Run one benchmark, print how long it took, and return whether it ended well."""
    name = benchmark.module.rpartition(".")[2]
    print(f"\n=== {name}: {benchmark.title}", flush=True)
    started = time.perf_counter()
    command = [sys.executable, "-m", benchmark.module]
    status = subprocess.run(command, cwd=PACKAGE_DIR.parent, env=os.environ, check=False).returncode
    print(f"=== {name}: {time.perf_counter() - started:.0f} s", flush=True)
    return status == 0


if __name__ == "__main__":
    sys.exit(main())
