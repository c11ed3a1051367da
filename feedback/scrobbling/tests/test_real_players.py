"""What others wrote, against the site: liblistenbrainz, pylast, and mpd with mpdscribble.

liblistenbrainz is GPL and lives in an environment of its own, made as CONTRIBUTING.md says.
"""

import json
import os
import shutil
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from catalog.models import Track
from conftest import missing
from feedback.plays.models import Play
from feedback.ratings.models import Rating
from feedback.scrobbling.keys import create_key, set_old_protocols
from feedback.tests.factories import UserFactory, make_track

pytestmark = pytest.mark.django_db(transaction=True)
LISTENBRAINZ_PYTHON = Path(os.environ.get("PLAYERS_PYTHON") or settings.BASE_DIR / "var" / "players" / "bin" / "python")
MBID = "a1b2c3d4-0000-4000-8000-000000000001"
LISTENBRAINZ = """
import sys, json, time
import liblistenbrainz
from liblistenbrainz import Listen
url, token, mbid = sys.argv[1:]
client = liblistenbrainz.ListenBrainz(api_base_url=url)
client.set_auth_token(token)
at = int(time.time()) - 4000
more = {"duration_ms": 180000, "recording_mbid": mbid}
first = Listen(track_name="Song 01", artist_name="Ada Lane", listened_at=at, additional_info=more)
client.submit_playing_now(Listen(track_name="Song 02", artist_name="Ada Lane"))
client.submit_single_listen(first)
later = [Listen(track_name="Song 02", artist_name="Ada Lane", listened_at=at + n * 300) for n in (1, 2)]
client.submit_multiple_listens([first, *later])
client.submit_user_feedback(1, mbid)
now = client.get_playing_now("ada")
listens = client.get_listens("ada", count=2)
print(json.dumps([client.get_user_listen_count("ada"), now.track_name,
                  [listen.track_name for listen in listens]]))
try:
    client.get_listens("bob")
except liblistenbrainz.errors.ListenBrainzAPIException as error:
    print(error.status_code)
"""
PYLAST = """
import sys, json, time
import pylast
host, username, token = sys.argv[1:]
network = pylast._Network(name="Earworm", homepage="", ws_server=(host, "/2.0/"), api_key="earworm",
    api_secret="earworm", session_key="", username=username, password_hash=pylast.md5(token),
    urls={}, domain_names={})
network.update_now_playing("Ada Lane", "Song 01", duration=180)
at = int(time.time()) - 90000
network.scrobble("Ada Lane", "Song 01", at, duration=180)
network.scrobble_many([dict(artist="Ada Lane", title="Song 02", timestamp=at + 300 + n * 200) for n in range(55)])
track = network.get_track("Ada Lane", "Song 01")
track.love()
print(json.dumps([network.get_user(username).get_playcount()]))
"""


@pytest.fixture
def user() -> User:
    return UserFactory(username="ada", pk=900_002)


@pytest.fixture
def songs() -> list[Track]:
    return [make_track(f"Song 0{n}", artist="Ada Lane", duration_ms=180_000) for n in (1, 2)]


def run(*command: str, **environment: str) -> list[str]:
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env={**os.environ, **environment}, check=False
    )
    assert result.returncode == 0, result.stderr[-2000:]
    return result.stdout.splitlines()


@pytest.fixture
def tls(live_server: LiveServer, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Return a host and port that speak TLS before the site, and the certificate to trust."""
    if shutil.which("openssl") is None:
        missing("no openssl on this machine", required_by="REQUIRE_PLAYERS")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
        "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate))  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    port = int(live_server.url.rsplit(":", 1)[1])

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            inside = socket.create_connection(("127.0.0.1", port))
            with context.wrap_socket(self.request, server_side=True) as outer, inside as inner:
                back = threading.Thread(target=pump, args=(inner, outer))
                back.start()
                pump(outer, inner)
                back.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"localhost:{server.server_address[1]}", certificate
        server.shutdown()
        thread.join()


def pump(source: socket.socket, target: socket.socket) -> None:
    """Pass on what comes until it ends."""
    try:
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@pytest.mark.usefixtures("real_clock")
def test_liblistenbrainz(live_server: LiveServer, user: User, songs: list[Track]) -> None:
    if not LISTENBRAINZ_PYTHON.exists():
        missing(f"no liblistenbrainz at {LISTENBRAINZ_PYTHON}", required_by="REQUIRE_PLAYERS")
    token = create_key(user=user, name="x")[1]
    answers = run(str(LISTENBRAINZ_PYTHON), "-c", LISTENBRAINZ, live_server.url, token, MBID)
    assert json.loads(answers[0]) == [3, "Song 02", ["Song 02", "Song 02"]]
    assert answers[1] == "404"
    assert list(Rating.objects.values_list("track", "value")) == [(songs[0].pk, 1)]
    assert Play.objects.filter(source="scrobble", outcome="completed").count() == 3


def test_pylast(tls: tuple[str, Path], user: User, songs: list[Track]) -> None:
    set_old_protocols(user=user, is_on=True)
    token = create_key(user=user, name="x")[1]
    host, certificate = tls
    answers = run(sys.executable, "-W", "ignore", "-c", PYLAST, host, "ada", token, SSL_CERT_FILE=str(certificate))
    assert json.loads(answers[0]) == [56]
    assert Play.objects.count() == 56
    assert list(Rating.objects.values_list("track", "value")) == [(songs[0].pk, 1)]


@pytest.mark.usefixtures("real_clock")
def test_mpd_and_mpdscribble(live_server: LiveServer, user: User, tmp_path: Path) -> None:
    if not all(map(shutil.which, ("mpd", "mpdscribble", "ffmpeg"))):
        missing("no mpd, mpdscribble and ffmpeg on this machine", required_by="REQUIRE_MPD")
    song = make_track("Long Song é", artist="Ada Lane", duration_ms=32_000)
    set_old_protocols(user=user, is_on=True)
    token = create_key(user=user, name="mpd")[1]
    with mpd_that_plays(tmp_path) as port:
        scribble = tmp_path / "mpdscribble.conf"
        scribble.write_text(
            f"log = -\nhost = 127.0.0.1\nport = {port}\n[earworm]\nurl = {live_server.url}/audioscrobbler/\n"
            f"username = ada\npassword = {token}\njournal = {tmp_path}/journal\n"
        )
        began = time.time()
        scribbler = subprocess.Popen(["mpdscribble", "--no-daemon", "--conf", str(scribble)], cwd=tmp_path)
        try:
            time.sleep(2)
            ask(port, "play")
            wait_for_play()
        finally:
            scribbler.terminate()
            scribbler.wait(10)
    play = Play.objects.get()
    assert (play.track, play.outcome, play.listing, play.source) == (song, "completed", "scrobble", "scrobble")
    assert abs(play.played_at.timestamp() - began) < 15


class mpd_that_plays:  # noqa: N801
    """An mpd with one song of 32 seconds, played to nowhere."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> int:
        music = self.folder / "music"
        music.mkdir()
        tags = ["-metadata", "artist=Ada Lane", "-metadata", "title=Long Song é"]
        tone = ["-f", "lavfi", "-i", "sine=frequency=440:duration=32"]
        run("ffmpeg", "-loglevel", "error", *tone, *tags, str(music / "song.flac"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        conf = self.folder / "mpd.conf"
        conf.write_text(
            f'music_directory "{music}"\ndb_file "{self.folder}/db"\nbind_to_address "127.0.0.1"\nport "{port}"\n'
            f'log_file "{self.folder}/mpd.log"\naudio_output {{\n type "null"\n name "null"\n}}\n'
        )
        self.process = subprocess.Popen(["mpd", "--no-daemon", str(conf)])
        for _try in range(50):
            try:
                ask(port, "update")
                break
            except OSError:
                time.sleep(0.1)
        time.sleep(1)
        ask(port, 'add "song.flac"')
        return port

    def __exit__(self, *_exception: object) -> None:
        self.process.terminate()
        self.process.wait(10)


def ask(port: int, command: str) -> None:
    """Send mpd a command."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        lines = connection.makefile("rwb")
        assert lines.readline().startswith(b"OK MPD")
        lines.write(f"{command}\n".encode())
        lines.flush()
        answer = lines.readline()
        assert not answer.startswith(b"ACK"), answer


def wait_for_play() -> None:
    """Wait for the play that comes at the end of the song."""
    end = time.monotonic() + 60
    while time.monotonic() < end and not Play.objects.exists():
        time.sleep(0.5)
