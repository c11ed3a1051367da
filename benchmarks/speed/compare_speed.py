"""Time and memory of comparing policies on a log of a million rows: by the command, and by the estimators alone.

The estimators judge all rows at once; the command lists all logged pages and judges ``--pages`` of them, drawn at
random, because each page costs every policy about as long as it took to make. Everything is invented.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from benchmarks.site import ROOT, Site

SEED = 1_000
SONGS, LISTENERS, PAGE = 3_000, 2_000, 10
FEATURES = 12
LIKED = 0.1
_PAGES_AT_ONCE = 2_000


def main() -> None:
    """Print a table of seconds and megabytes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--pages", type=int, default=1_000)
    parser.add_argument("--part", choices=("estimators",), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        _estimate(options.rows)
        return
    print("| what | rows | seconds | of the processor | MB |\n| --- | --- | --- | --- | --- |")
    alone = [sys.executable, "-m", "benchmarks.speed.compare_speed", "--rows", str(options.rows), "--part"]
    print(_measured("estimators, all rows", options.rows, [*alone, "estimators"], dict(os.environ)), flush=True)
    with tempfile.TemporaryDirectory() as name:
        site = Site.create(Path(name))
        _fill(site, options.rows)
        command = [sys.executable, str(ROOT / "manage.py"), "compare", "1", "popularity", "random", "--json"]
        command += ["--pages", str(options.pages)]
        label = f"manage.py compare, {options.pages:,} pages"
        print(_measured(label, options.rows, command, site.environment))


def _measured(what: str, rows: int, command: list[str], environment: dict[str, str]) -> str:
    """Run a command and return its row: seconds by the clock and of the processor, and the most memory that it held."""
    before = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - before
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{output}")
    report = json.loads(output)
    judged = f"{what}: {report['pages']:,} pages of {report['listeners']:,} listeners judged"
    processor = usage.ru_utime + usage.ru_stime
    return f"| {judged} | {rows:,} | {seconds:.1f} | {processor:.1f} | {usage.ru_maxrss / 1024:.0f} |"


def _estimate(rows: int) -> None:
    """Judge one invented policy on ``rows`` songs, and say how many pages it saw."""
    from recommender.engine.evaluation import LoggedSongs, TargetPolicy, evaluate_off_policy

    rng = np.random.default_rng(SEED)
    pages = rows // PAGE
    page = np.repeat(np.arange(pages), PAGE)
    listener = np.repeat(np.sort(rng.integers(0, LISTENERS, pages)), PAGE)
    propensity = rng.uniform(0.01, 0.3, len(page))
    reward = (rng.random(len(page)) < 0.1).astype(np.float64)
    features = rng.normal(size=(len(page), FEATURES))
    log = LoggedSongs(page, listener, np.tile(np.arange(PAGE), pages), reward, propensity, features)
    other = np.clip(propensity * rng.uniform(0.5, 1.5, len(page)), 0.0, 1.0)
    target = TargetPolicy(other, rng.normal(size=(pages, FEATURES)), np.full(pages, float(PAGE)))
    report = evaluate_off_policy(log, {"other": target}, np.random.default_rng(SEED))
    print(json.dumps({"pages": report.pages, "listeners": report.listeners}))
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB", file=sys.stderr)


def _fill(site: Site, rows: int) -> None:
    """Make a site with a model and a log of ``rows`` songs, a tenth of them liked."""
    os.environ.update(site.environment)
    import django

    django.setup()
    from benchmarks.crowd import invent_crowd, invent_songs

    songs = site.folder / "songs.csv"
    invent_songs(songs, SONGS)
    site.manage("migrate")
    site.manage("import_tracks", str(songs))
    invent_crowd(LISTENERS)
    site.manage("retrain")
    _log(rows)


def _log(rows: int) -> None:
    """Write the log: pages of different songs, spread over four weeks."""
    from django.db import transaction
    from django.utils import timezone

    from accounts.models import User
    from catalog.models import Track
    from feedback.ratings.models import Rating
    from recommender.models import ModelVersion

    rng = np.random.default_rng(SEED)
    version = ModelVersion.objects.get().pk
    users, tracks = (np.array(model.objects.values_list("pk", flat=True)) for model in (User, Track))
    now = timezone.now()
    for start in range(0, rows // PAGE, _PAGES_AT_ONCE):
        entries, likes = [], []
        for number in range(start, min(start + _PAGES_AT_ONCE, rows // PAGE)):
            user = int(users[number % len(users)])
            page = uuid.UUID(int=int(rng.integers(1, 2**63)) << 64 | number)
            at = now - timedelta(days=27 * float(rng.random()) + 0.5)
            shown = rng.choice(tracks, PAGE, replace=False).tolist()
            entries += [(user, track, version, page, position, at) for position, track in enumerate(shown)]
            liked = [track for track, draw in zip(shown, rng.random(PAGE).tolist(), strict=True) if draw < LIKED]
            likes += [
                Rating(user_id=user, track_id=track, value=Rating.Value.LIKE, updated_at=at + timedelta(minutes=1))
                for track in liked
            ]
        with transaction.atomic():
            _insert(entries)
            # Songs that the listener had rated before stay as they were.
            Rating.objects.bulk_create(likes, ignore_conflicts=True)


def _insert(entries: Sequence[tuple[int, int, int, uuid.UUID, int, datetime]]) -> None:
    """Write rows of the log without a model's instance for each: a million instances take many minutes."""
    from django.db import connection

    from recommender.models import Recommendation

    varying = ("user", "track", "model_version", "page", "position", "created_at")
    fixed = {"score": 0.0, "policy": "explore", "propensity": 0.1, "reason": {}, "is_shown": True, "section": "made"}
    fixed |= {"is_reason_wrong": False, "is_explored": False}
    by_name = {field.name: field for field in Recommendation._meta.concrete_fields}
    fields = [by_name[name] for name in (*varying, *fixed)]
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    table, marks = connection.ops.quote_name(Recommendation._meta.db_table), ", ".join(["%s"] * len(fields))
    same = [field.get_db_prep_save(fixed[field.name], connection) for field in fields[len(varying) :]]
    page, at = by_name["page"], by_name["created_at"]
    values = (
        (*row[:3], page.get_db_prep_save(row[3], connection), row[4], at.get_db_prep_save(row[5], connection), *same)
        for row in entries
    )
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", list(values))


if __name__ == "__main__":
    main()
