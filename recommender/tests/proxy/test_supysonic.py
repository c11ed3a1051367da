"""A real music server (supysonic) behind the proxy, with a real player's library (py-opensonic) before it.

Both are programs of others, AGPL and GPL: they run in an environment of their own, made as CONTRIBUTING.md says.
"""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from django.conf import settings
from django.core.management import call_command
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from catalog.models import MusicServer, Track
from catalog.sources.servers.services import connect_server, read_server, set_proxied
from conftest import missing
from feedback.music_servers.models import PushedPlaylist, ServerAccount
from feedback.music_servers.pushing import request_push
from feedback.music_servers.services import client_of, link_account
from feedback.playlists.models import Playlist
from feedback.playlists.services import add_tracks, create_playlist, rename_playlist
from feedback.plays.models import Play
from feedback.ratings.models import Rating
from jobs.tests.helpers import run_waiting
from recommender.tests.builders import make_user

pytestmark = pytest.mark.django_db(transaction=True)
PYTHON = Path(os.environ.get("SUPYSONIC_PYTHON") or settings.BASE_DIR / "var" / "supysonic" / "bin" / "python")
ADA, BOB = "ada's long one", "bob's long one"
SONGS, SECONDS = 24, 60
# supysonic takes no tokens, so the password goes as it is.
PLAYER = """
import json, sys, time
from libopensonic import Connection
host, port, password = sys.argv[1:]
player = Connection(host, "bob", password, port=int(port), legacy_auth=True)
(seed,) = [song.id for song in player.search3("", song_count=100).song if song.title == "Song 1"]
before = [song.id for song in player.get_similar_songs2(seed, count=8)]
for song in before[:3]:
    player.scrobble(song, submission=False)
    time.sleep(1.5)
player.scrobble(seed, submission=False)
player.set_rating(before[3], 1)
after = [song.id for song in player.get_similar_songs2(seed, count=8)]
print(json.dumps([before, after]))
player.cleanup()
"""


def run(*command: str, folder: Path) -> str:
    """Return what a program of supysonic's environment prints; ``folder`` has its settings."""
    environment = {**os.environ, "HOME": str(folder)}
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=300, cwd=folder, env=environment, check=False
    )
    assert result.returncode == 0, result.stderr[-2000:]
    return result.stdout


def write_songs(folder: Path) -> None:
    """Write a minute of sound, tagged as two dozen songs of two genres."""
    command = ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", f"sine=frequency=440:duration={SECONDS}:r=8000"]
    for number in range(SONGS):
        album = folder / f"Album {number // 4}"
        album.mkdir(parents=True, exist_ok=True)
        tags = {"title": f"Song {number}", "artist": f"Artist {number // 4}", "album": album.name}
        tags["genre"] = "Folk" if number < SONGS // 2 else "Techno"
        for name, value in tags.items():
            command += ["-metadata", f"{name}={value}"]
        command.append(str(album / f"{number}.flac"))
    run(*command, folder=folder)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Run supysonic with two accounts and two dozen songs."""
    if not PYTHON.exists():
        missing(f"no supysonic at {PYTHON}", required_by="REQUIRE_PLAYERS")
    if shutil.which("ffmpeg") is None:
        missing("no ffmpeg on this machine", required_by="REQUIRE_PLAYERS")
    write_songs(tmp_path / "music")
    (tmp_path / "supysonic.conf").write_text(
        f"[base]\ndatabase_uri = sqlite:///{tmp_path}/supysonic.db\n[webapp]\ncache_dir = {tmp_path}/cache\n"
        f"[daemon]\nsocket = {tmp_path}/socket\nrun_watcher = no\n"
    )
    tool, port = str(PYTHON.parent / "supysonic-cli"), free_port()
    for words in (("user", "add", "ada", "-p", ADA), ("user", "add", "bob", "-p", BOB),
                  ("folder", "add", "music", str(tmp_path / "music")), ("folder", "scan", "--foreground")):  # fmt: skip
        run(tool, *words, folder=tmp_path)
    command = [str(PYTHON.parent / "supysonic-server"), "-S", "waitress", "-h", "127.0.0.1", "-p", str(port)]
    with (tmp_path / "server.log").open("wb") as log:
        server = subprocess.Popen(
            command, cwd=tmp_path, env={**os.environ, "HOME": str(tmp_path)}, stdout=log, stderr=log
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/rest/ping", server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(30)


def wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            requests.get(address, timeout=5)
        except requests.RequestException:
            time.sleep(0.1)
        else:
            return
    pytest.fail("supysonic does not answer")


@pytest.fixture
def server(address: str) -> MusicServer:
    connected = connect_server(address=address, username="ada", secret=ADA)
    set_proxied(server=connected, is_proxied=True)
    read_server(connected)
    return connected


@pytest.fixture
def account(server: MusicServer) -> ServerAccount:
    return link_account(user=make_user("listener"), server=server, username="bob", secret=BOB, is_secret_kept=True)


def test_three_skips_and_a_dislike_in_a_player_change_the_next_mix(
    live_server: LiveServer, account: ServerAccount, tmp_path: Path
) -> None:
    assert Track.objects.filter(server_songs__gone_at=None).count() == SONGS
    call_command("retrain", verbosity=0)
    host, port = live_server.url.rsplit(":", 1)
    before, after = json.loads(run(str(PYTHON), "-c", PLAYER, host, port, BOB, folder=tmp_path))
    assert (len(before), len(after)) == (8, 8)
    plays = Play.objects.order_by("played_at", "pk")
    skipped = list(plays.values_list("track__server_songs__remote_id", "outcome"))
    assert skipped == [(song, "skipped") for song in before[:3]]
    assert list(Rating.objects.values_list("track__server_songs__remote_id", "value")) == [(before[3], -1)]
    assert not set(before[:4]) & set(after)


def ask(account: ServerAccount, playlist: Playlist) -> tuple[PushedPlaylist, list[tuple[str, str, int]]]:
    """Return the list after its push, and id, name and number of songs of all lists on the server."""
    pushed = request_push(account=account, kind="playlist", playlist=playlist, is_renewed=True)
    run_waiting()
    pushed.refresh_from_db()
    lists = client_of(account).call("getPlaylists")["playlists"].get("playlist", [])
    return pushed, [(row["id"], row["name"], row["songCount"]) for row in lists]


def songs_of(account: ServerAccount, remote_id: str) -> list[str]:
    entries = client_of(account).call("getPlaylist", {"id": remote_id})["playlist"]["entry"]
    return [entry["title"] for entry in entries]


def test_a_playlist_is_renewed_in_place_by_its_id(account: ServerAccount) -> None:
    user: User = account.user
    tracks = {track.title: track for track in Track.objects.all()}
    playlist = create_playlist(owner=user, name="Road trip", tracks=[tracks["Song 4"], tracks["Song 2"]])
    pushed, lists = ask(account, playlist)
    assert lists == [(pushed.remote_id, "Road trip", 2)]
    add_tracks(playlist=playlist, tracks=[tracks["Song 9"]])
    rename_playlist(playlist=playlist, name="Way home")
    again, lists = ask(account, playlist)
    assert lists == [(pushed.remote_id, "Way home", 3)]
    assert (again.remote_id, again.error) == (pushed.remote_id, "")
    assert songs_of(account, pushed.remote_id) == ["Song 4", "Song 2", "Song 9"]
    same = create_playlist(owner=user, name="Way home", tracks=[tracks["Song 7"]])
    other, lists = ask(account, same)
    assert sorted(lists) == sorted([(pushed.remote_id, "Way home", 3), (other.remote_id, "Way home (Earworm)", 1)])
