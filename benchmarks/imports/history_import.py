"""How fast a listener's past comes in: a generated Spotify history of 200,000 plays, twice, then with three kills.

The worker runs as a process of its own on a database of its own. The catalogue is the real one where it is there
(SPOTIFY_REC_SHARED_DATA), else the demo's; of the plays, nine in ten are of songs that the catalogue holds.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import django

from benchmarks.site import ROOT, Site, shared_data

GOAL = 20_000
PER_FILE = 16_000
SHARE_UNKNOWN = 0.1
START = datetime(2016, 1, 1, tzinfo=UTC)
FIELDS = ("position", "plays_added", "plays_known", "plays_unmatched", "plays_skipped", "songs_created")


def write_history(path: Path, songs: list[tuple[str, str, str, str]], plays: int) -> None:
    """Write a zip as Spotify makes it: ``songs`` are id, title, artist, album; every 50th record is a podcast."""
    rng = random.Random(7)
    weights = [1 / (position + 10) for position in range(len(songs))]
    chosen = rng.choices(songs, weights, k=plays)
    at = START
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number, start in enumerate(range(0, plays, PER_FILE)):
            records = []
            for position, song in enumerate(chosen[start : start + PER_FILE], start=start):
                at += timedelta(seconds=rng.randint(60, 2700))
                records.append(_record(at, song, position, rng))
            name = f"Spotify Extended Streaming History/Streaming_History_Audio_{number}.json"
            archive.writestr(name, json.dumps(records, indent=2))


def _record(at: datetime, song: tuple[str, str, str, str], position: int, rng: random.Random) -> dict[str, Any]:
    spotify_id, title, artist, album = song
    if rng.random() < SHARE_UNKNOWN:
        number = rng.randrange(3000)
        spotify_id, title, artist = f"unknown{number:015d}", f"Basement tape {number}", f"Neighbour {number % 300}"
    is_podcast = position % 50 == 49
    return {
        "ts": f"{at:%Y-%m-%dT%H:%M:%SZ}", "platform": "android", "ms_played": rng.randint(1000, 240_000),
        "conn_country": "SE", "ip_addr": "192.0.2.1", "master_metadata_track_name": None if is_podcast else title,
        "master_metadata_album_artist_name": None if is_podcast else artist,
        "master_metadata_album_album_name": None if is_podcast else album,
        "spotify_track_uri": None if is_podcast else f"spotify:track:{spotify_id}",
        "episode_name": "Episode" if is_podcast else None, "episode_show_name": "Show" if is_podcast else None,
        "spotify_episode_uri": "spotify:episode:x" if is_podcast else None, "audiobook_title": None,
        "audiobook_uri": None, "audiobook_chapter_uri": None, "audiobook_chapter_title": None,
        "reason_start": "trackdone", "reason_end": rng.choice(["trackdone", "trackdone", "fwdbtn", "endplay"]),
        "shuffle": False, "skipped": False, "offline": False, "offline_timestamp": None, "incognito_mode": False,
    }  # fmt: skip


def upload(name: str, path: Path) -> int:
    """Store the file as a listener's upload, ask for the import, and return its id."""
    from django.core.files import File

    from accounts.models import User
    from feedback.history_import.services import begin_import

    user, _created = User.objects.get_or_create(username=name, defaults={"email": f"{name}@example.org"})
    with path.open("rb") as file:
        return begin_import(user=user, upload=File(file, name="my_spotify_data.zip"), wants_own_songs=True).pk


def run_worker(site: Site) -> tuple[float, float, float]:
    """Run the worker until nothing is left; return its seconds, its seconds of processor time, its peak in MB."""
    started = time.perf_counter()
    process = start_worker(site, "--batch")
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"the worker ended with {process.returncode}")
    peak = usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e6 / 1024)
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime, peak


def start_worker(site: Site, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a worker."""
    command = [sys.executable, str(ROOT / "manage.py"), "worker", *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=site.environment, stderr=subprocess.DEVNULL)


def state(import_id: int) -> dict[str, int]:
    """Return the counts of an import and what really is in the database."""
    from feedback.history_import.models import HistoryImport, UnmatchedSong
    from feedback.plays.models import Play

    counts: dict[str, int] = HistoryImport.objects.values(*FIELDS).get(pk=import_id)
    plays = Play.objects.filter(history_import_id=import_id).count()
    return {**counts, "plays in the table": plays, "unmatched": UnmatchedSong.objects.count()}


def seconds_of(import_id: int) -> float:
    """Return how long the job itself took."""
    from feedback.history_import.models import HistoryImport

    job = HistoryImport.objects.get(pk=import_id).job()
    assert job is not None
    assert job.seconds is not None
    return job.seconds


def killed(site: Site, path: Path, kills: int) -> dict[str, int]:
    """Import with ``kills`` kills of the worker in the middle; return the end."""
    import_id = upload("killed", path)
    from feedback.history_import.models import HistoryImport

    for number in range(1, kills + 1):
        worker = start_worker(site, "--interval", "0.1")
        wanted = number * 40_000
        while HistoryImport.objects.values_list("position", flat=True).get(pk=import_id) < wanted:
            time.sleep(0.05)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        print(f"killed at {state(import_id)['position']:,} records")
        time.sleep(1.2)
    run_worker(site)
    return state(import_id)


def main() -> None:
    """Measure and print; end with 1 where an end differs from what it has to be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plays", type=int, default=200_000)
    parser.add_argument("--kills", type=int, default=3)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    try:
        measure(folder, options.plays, options.kills)
    finally:
        shutil.rmtree(folder)


def measure(folder: Path, plays: int, kills: int) -> None:
    """Import into a site in ``folder``."""
    site = Site.create(folder)
    site.environment |= {"JOB_STALE_SECONDS": "1", "RETRAIN_HOURS": "0", "VAR_DIR": str(folder / "var")}
    os.environ.update(site.environment)
    django.setup()
    from catalog.models import Track

    data = shared_data()
    site.manage("migrate", "-v0")
    site.manage("import_tracks", str(data / "dataset.csv" if data else ROOT / "data" / "demo_catalogue.csv"))
    columns = Track.objects.order_by("pk").values_list("spotify_id", "title", "artist_names", "album")
    songs = [(str(pk), title, artists.split(",")[0], album) for pk, title, artists, album in columns[:20_000]]
    path = folder / "my_spotify_data.zip"
    write_history(path, songs, plays)
    print(f"{plays:,} plays, {path.stat().st_size / 1e6:.0f} MB packed; {Track.objects.count():,} songs")
    first = upload("first", path)
    _, cpu, peak = run_worker(site)
    end, seconds = state(first), seconds_of(first)
    print(f"first:  {seconds:6.1f} s, {plays / seconds:8,.0f} plays/s, {cpu:.1f} s of processor, peak {peak:.0f} MB")
    print(f"        {end}")
    again = upload("first", path)
    _, _, peak = run_worker(site)
    second, seconds = state(again), seconds_of(again)
    print(
        f"again:  {seconds:6.1f} s, {plays / seconds:8,.0f} plays/s; {second['plays_added']} added, peak {peak:.0f} MB"
    )
    third = killed(site, path, kills)
    same = {**end, "songs_created": 0} == third
    print(f"killed {kills} times: {'the same end' if same else f'ANOTHER END: {third}'}")
    if second["plays_added"] or second["plays_known"] != end["plays_added"] or not same:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
