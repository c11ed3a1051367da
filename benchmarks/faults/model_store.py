"""A new model on its way through an S3-like store: how long until another machine's pages are made by it.

``python -m benchmarks.faults.model_store --changes 3``. Two model folders stand for two machines, one retrains and the
other serves with one gunicorn worker; 82,689 real songs, SQLite, and moto's S3 server, all on this machine and on
127.0.0.1.
"""

from __future__ import annotations

import argparse
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.faults.model_switch import Reader
from benchmarks.site import Client, Site, percentile, shared_data
from benchmarks.speed.http_speed import prepare

BUCKET = "models"
_WAIT_SECONDS = 120.0


def main() -> None:
    """Retrain on one machine while pages of the other are read, some times over; print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=3)
    changes: int = parser.parse_args().changes
    data = shared_data()
    if data is None:
        print("model_store: skipped: no folder of real songs (SPOTIFY_REC_SHARED_DATA)")
        return
    with tempfile.TemporaryDirectory() as name, _store() as address:
        os.environ |= {
            "AWS_ENDPOINT_URL": address,
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_DEFAULT_REGION": "us-east-1",
            "MODEL_STORE": f"s3://{BUCKET}/site",
            "MODELS_KEPT": "2",
        }
        first = Site.create(Path(name))
        for command in (["migrate"], ["collectstatic", "--noinput"], ["import_tracks", str(data / "dataset.csv")]):
            first.manage(*command)
        session = prepare(first)["session"]
        _make_bucket()
        _report(first, session, changes)


@contextmanager
def _store() -> Iterator[str]:
    """Run an S3 server in a process of its own; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=30)


def _make_bucket() -> None:
    import boto3.session

    boto3.session.Session().client("s3").create_bucket(Bucket=BUCKET)


def _report(first: Site, session: str, changes: int) -> None:
    first.manage("retrain", "--force")
    second = replace(first, environment={**first.environment, "MODEL_DIR": str(first.folder / "models of the second")})
    with second.serving(workers=1):
        reader = Reader(Client(second.port, session))
        begin = time.monotonic()
        while not _is_served(second, _newest(second)):
            reader.client.get("/")
        print(f"a machine without any model: first page by one after {time.monotonic() - begin:.1f} s")
        thread = threading.Thread(target=reader.run)
        thread.start()
        for _change in range(changes):
            first.manage("retrain", "--force")
            _wait_until_served(second)
        time.sleep(2)
        reader.is_done = True
        thread.join()
    _print(first, reader, changes)


def _print(site: Site, reader: Reader, changes: int) -> None:
    with _database(site) as database:
        seen = database.execute(_CHANGES, (changes,)).fetchall()
    sizes = [file.stat().st_size for file in (Path(site.environment["MODEL_DIR"]) / seen[0][0]).iterdir()]
    print(f"a model of {sum(sizes) / 1e6:.0f} MB in {len(sizes)} files")
    print(f"with its twin into the store in {', '.join(f'{upload:.1f}' for _name, upload, _start, _end in seen)} s")
    print(f"first page by it after it was activated: {', '.join(f'{end - start:.1f}' for *_, start, end in seen)} s")
    # From the clock that the database has to the one that the reader has.
    ahead = time.time() - time.monotonic()
    near = [took * 1000 for at, took in reader.pages if any(start <= at + ahead <= end for *_name, start, end in seen)]
    print(f"{len(reader.pages)} pages, {len(reader.wrong)} wrong; {len(near)} of them while it was fetched and loaded")
    if near:
        print(f"those: median {percentile(near, 0.5):.0f} ms, slowest {max(near):.0f} ms")
    every = [took * 1000 for _at, took in reader.pages]
    print(f"all: median {percentile(every, 0.5):.0f} ms, slowest {max(every):.0f} ms")


# Times in seconds since 1970.
_CHANGES = """
    SELECT directory, json_extract(timings, '$.upload'), (julianday(activated_at) - 2440587.5) * 86400,
        (julianday(min(shown.created_at)) - 2440587.5) * 86400
    FROM recommender_modelversion AS version
    JOIN recommender_recommendation AS shown ON shown.model_version_id = version.id
    GROUP BY version.id ORDER BY version.id DESC LIMIT ?
"""


def _newest(site: Site) -> int:
    with _database(site) as database:
        return int(database.execute("SELECT max(id) FROM recommender_modelversion").fetchone()[0])


def _is_served(site: Site, version: int) -> bool:
    with _database(site) as database:
        query = "SELECT model_version_id FROM recommender_recommendation ORDER BY id DESC LIMIT 1"
        served = database.execute(query).fetchone()
    return served is not None and served[0] == version


def _wait_until_served(site: Site) -> None:
    begin, version = time.monotonic(), _newest(site)
    while not _is_served(site, version):
        if time.monotonic() - begin > _WAIT_SECONDS:
            raise RuntimeError(f"version {version} was not served within {_WAIT_SECONDS:.0f} s")
        time.sleep(0.1)


@contextmanager
def _database(site: Site) -> Iterator[sqlite3.Connection]:
    database = sqlite3.connect(site.folder / "bench.sqlite3")
    try:
        yield database
    finally:
        database.close()


if __name__ == "__main__":
    main()
