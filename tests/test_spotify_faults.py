"""Every fault of Spotify's in every call that the site makes, and what the listener then saw.

``SPOTIFY_FAULT_TABLE=tests/spotify_faults.md`` writes the table of that page anew, with the seconds waited. Without it,
faults that are sat out are tried with a few of the calls: `accounts/spotify/tests/test_faults.py` has them all.
"""

import inspect
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site_settings
from django.test import Client, override_settings
from django.urls import reverse

from accounts.models import User
from accounts.spotify.models import SpotifyAccount
from accounts.spotify.sandbox.server import SandboxServer
from accounts.spotify.sandbox.state import FAULTS, Fault
from accounts.spotify.tests.worlds import callback_of, come_back, connected, running_sandbox, song
from accounts.spotify.web_api.client import SpotifyClient
from catalog.models import Track
from feedback.ratings.models import Rating
from feedback.spotify_import.models import SpotifyPlaylist
from feedback.tests.factories import make_track
from jobs.services import enqueue
from jobs.tests.helpers import busy, run_waiting

pytestmark = [pytest.mark.django_db(transaction=True)]
PLAYLIST = "p" * 22
LIMIT_SECONDS = 3.0
# What other processes may take of the processor meanwhile; the table that is published has no such allowance.
BUSY_SECONDS = 1.0
TABLE = os.environ.get("SPOTIFY_FAULT_TABLE", "")
DOCUMENT = site_settings.BASE_DIR / "tests" / "spotify_faults.md"
# Nothing comes, or never the whole: the page waits for as long as it waits for Spotify at all.
SAT_OUT = ("timeout", "drip")
SENTENCES = {
    "busy": "Spotify is limiting requests right now. Try again after",
    "away": "Spotify isn't responding. Everything else still works. Try again in a minute.",
    "refused": "Spotify doesn't allow this.",
    "reconnect": "Your Spotify connection has expired. Reconnect in your profile. It takes two clicks.",
    "not in order": "We couldn't connect Spotify because it sent an unexpected reply. Please try again.",
}
# What a listener sees of a fault, unless a call has its own.
USUAL = {
    "429": "busy",
    "quota": "busy",
    "500": "away",
    "403": "refused",
    "timeout": "away",
    "slow": "done",
    "drip": "away",
    "drop": "away",
    "lost": "away",
    "expired": "done",
    "revoked": "reconnect",
    "malformed": "away",
    "odd": "away",
}
# Nobody reads what a command is answered.
COMMAND = {**USUAL, "malformed": "done", "odd": "done"}
# The song comes in without them.
NOT_NEEDED = dict.fromkeys(FAULTS, "done")
# A 403 is no answer that the accounts service gives to a refresh.
REFRESH = {**USUAL, "403": "away"}
CODE = {**USUAL, "403": "not in order", "revoked": "done"}
# The token that was got a moment ago is refused: that makes no sense, and is not tried again.
PROFILE = {**USUAL, "expired": "away", "revoked": "away", "odd": "not in order"}


class Browser:
    """A listener's browser that stops the time each request takes."""

    def __init__(self, client: Client, sandbox: SandboxServer, user: User) -> None:
        self.client, self.sandbox, self.user = client, sandbox, user
        self.seconds = 0.0

    def ask(self, method: str, name: str, data: Any = None, *, statuses: tuple[int, ...] = (200,)) -> str:
        """Return what the page says, where it leads to; no answer may be an error of the site's."""
        return self._timed(lambda: getattr(self.client, method)(reverse(name), data or {}, follow=True), statuses)

    def come_back(self, url: str) -> str:
        text = self._timed(lambda: come_back(self.client, url), (302,))
        return text + self.client.get(reverse("accounts:profile")).content.decode()

    def _timed(self, call: Callable[[], Any], statuses: tuple[int, ...]) -> str:
        start = time.monotonic()
        answer = call()
        self.seconds = max(self.seconds, time.monotonic() - start)
        assert answer.status_code in statuses
        return str(answer.content.decode())


@dataclass(frozen=True)
class Call:
    """A call of the client, what makes the site do it, and how its request to Spotify is known."""

    name: str
    what: str
    request: str
    do: Callable[[Browser], str]
    expected: dict[str, str]
    # Seconds for which the listener's access token is good yet.
    seconds_left: int = 3600


def _paused(browser: Browser) -> str:
    # What is paused already cannot be paused.
    browser.sandbox.world.listeners["ada"].player.run()
    return _player("command", action="pause")(browser)


def _page(method: str, view: str, **data: Any) -> Callable[[Browser], str]:
    return lambda browser: browser.ask(method, view, data)


def _bring(part: str) -> Callable[[Browser], str]:
    def do(browser: Browser) -> str:
        browser.ask("post", "feedback:spotify", {"parts": [part], "consent": "on"})
        run_waiting()
        return browser.ask("get", "feedback:spotify")

    return do


def _player(name: str, **data: Any) -> Callable[[Browser], str]:
    return lambda browser: browser.ask("post", f"player:spotify_{name}", data, statuses=(200, 204, 409))


def _start(browser: Browser) -> str:
    return _player("command", action="start", device="laptop", track=Track.objects.get(title="Song 1").pk)(browser)


def _update_playlist(browser: Browser) -> str:
    SpotifyPlaylist.objects.create(user=browser.user, kind="likes", spotify_id=PLAYLIST)
    return browser.ask("post", "feedback:spotify_save_likes")


def _append(browser: Browser) -> str:
    return _pending(browser, is_sending=False)


def _append_after_a_fault(browser: Browser) -> str:
    return _pending(browser, is_sending=True)


def _pending(browser: Browser, *, is_sending: bool) -> str:
    ids = [song(number).id for number in range(2, 5)]
    record = SpotifyPlaylist.objects.create(
        user=browser.user, kind="likes", spotify_id=PLAYLIST, song_count=1, pending=ids, is_sending=is_sending
    )
    enqueue(kind="spotify-save", user_id=browser.user.pk, subject=record.subject)
    run_waiting()
    return browser.ask("get", "feedback:spotify")


def _add_song(browser: Browser) -> str:
    return browser.ask("post", "catalog:spotify_add", {"song": song(9).id})


def _add_song_with_features(browser: Browser) -> str:
    with override_settings(SPOTIFY_EXTENDED_ACCESS=True):
        text = _add_song(browser)
    assert Track.objects.filter(title="Song 9").exists()
    return text


def _connect(browser: Browser) -> str:
    # The fault is for the way back.
    faults, browser.sandbox.world.faults = browser.sandbox.world.faults, []
    SpotifyAccount.objects.all().delete()
    browser.client.defaults["HTTP_HOST"] = "127.0.0.1:8000"
    url = callback_of(browser.client, reverse("spotify_login"))
    browser.sandbox.world.faults = faults
    return browser.come_back(url)


CALLS = [
    Call("exchange_code", "connect: the code for tokens", "POST /api/token", _connect, CODE),
    Call("profile_of", "connect: who it is", "GET /v1/me", _connect, PROFILE),
    Call("refresh", "any page, token ended", "POST /api/token", _page("get", "feedback:spotify_playlists"), REFRESH, 1),
    Call("access_token", "player here, token ended", "POST /api/token", _player("token"), REFRESH, 1),
    Call("my_id", "own playlists", "GET /v1/me", _page("get", "feedback:spotify_playlists"), USUAL),
    Call("my_playlists", "own playlists", "GET /v1/me/playlists", _page("get", "feedback:spotify_playlists"), USUAL),
    Call("top_tracks", "bring songs", "GET /v1/me/top/tracks", _bring("top"), USUAL),
    Call("saved_tracks", "bring songs", "GET /v1/me/tracks", _bring("saved"), USUAL),
    Call("recently_played", "bring songs", "GET /v1/me/player/recently-played", _bring("recent"), USUAL),
    Call("followed_artists", "bring songs", "GET /v1/me/following", _bring("followed"), USUAL),
    Call("search_tracks", "search", "GET /v1/search", _page("get", "catalog:spotify_search", q="song"), USUAL),
    Call("track", "add a song", "GET /v1/tracks/", _add_song, USUAL),
    Call("audio_features", "add a song", "GET /v1/audio-features/", _add_song_with_features, NOT_NEEDED),
    Call(
        "playlist_tracks",
        "import a playlist",
        "GET /v1/playlists/",
        _page("post", "feedback:spotify_import", playlist=PLAYLIST, name="Old", into="list"),
        USUAL,
    ),
    Call(
        "create_playlist", "save likes", "POST /v1/me/playlists", _page("post", "feedback:spotify_save_likes"), USUAL
    ),
    Call("is_in_library", "update likes", "GET /v1/me/library/contains", _update_playlist, USUAL),
    Call("set_playlist_tracks", "update likes", "PUT /v1/playlists/", _update_playlist, COMMAND),
    Call("append_playlist_tracks", "update likes, more than 100", "POST /v1/playlists/", _append, COMMAND),
    Call("playlist_length", "update likes, after a fault", "GET /v1/playlists/", _append_after_a_fault, USUAL),
    Call("devices", "player: devices", "GET /v1/me/player/devices", _player("devices"), USUAL),
    Call("player_state", "player: what plays", "GET /v1/me/player", _player("now"), {**USUAL, "odd": "done"}),
    Call("start_playback", "player: start", "PUT /v1/me/player/play", _start, COMMAND),
    Call("pause", "player: pause", "PUT /v1/me/player/pause", _paused, COMMAND),
    Call("resume", "player: go on", "PUT /v1/me/player/play", _player("command", action="resume"), COMMAND),
    Call(
        "seek", "player: seek", "PUT /v1/me/player/seek", _player("command", action="seek", position_ms=1), COMMAND
    ),
    Call(
        "transfer", "player: transfer", "PUT /v1/me/player", _player("command", action="transfer", device="laptop"),
        COMMAND,
    ),
]  # fmt: skip
SAMPLE = ("profile_of", "search_tracks", "pause")
TRIED = [(call, fault) for call in CALLS for fault in FAULTS if TABLE or fault not in SAT_OUT or call.name in SAMPLE]


@pytest.fixture
def visit(client: Client, settings: Any) -> Iterator[Browser]:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]
    with running_sandbox() as sandbox:
        user = User.objects.create_user("ada", "ada@example.org", "long-and-odd-7")
        client.force_login(user)
        ada = sandbox.world.listeners["ada"]
        ada.player.device_id = "laptop"
        made = sandbox.world.add_playlist(ada, "Old", "", public=False)
        made.song_ids = [song(1).id]
        sandbox.world.playlists = {PLAYLIST: made}
        made.id = PLAYLIST
        ada.playlist_ids = [PLAYLIST]
        Rating.objects.create(user=user, track=make_track("Song 1", spotify_id=song(1).id), value=1)
        yield Browser(client, sandbox, user)


@pytest.fixture(scope="module")
def table() -> Iterator[dict[tuple[str, str], str]]:
    cells: dict[tuple[str, str], str] = {}
    yield cells
    path = Path(TABLE)
    # Cells that were not tried this time stay as they were measured.
    cells = written_cells(path) | cells if TABLE else {}
    if all((call.name, fault) in cells for call in CALLS for fault in FAULTS):
        text = path.read_text(encoding="utf-8")
        before, _old, after = re.split(r"(?s)(?<=<!-- faults -->\n)(.*?)(?=<!-- end of faults -->)", text)
        path.write_text(f"{before}{_markdown(cells)}{after}", encoding="utf-8")


def written_cells(path: Path) -> dict[tuple[str, str], str]:
    """Return the cells of the table, by call and fault."""
    cells: dict[tuple[str, str], str] = {}
    names: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("| call "):
            names = [part.strip() for part in line.split("|")[3:-1]]
        if line.startswith("| `"):
            call, _what, *row = [part.strip(" `") for part in line.split("|")[1:-1]]
            cells |= {(call, fault): cell for fault, cell in zip(names, row, strict=True)}
    return cells


def _markdown(cells: dict[tuple[str, str], str]) -> str:
    lines = [f"| call | the listener | {' | '.join(FAULTS)} |", f"|{'---|' * (len(FAULTS) + 2)}"]
    for call in CALLS:
        row = " | ".join(cells[call.name, fault] for fault in FAULTS)
        lines.append(f"| `{call.name}` | {call.what} | {row} |")
    return "\n".join(lines) + "\n"


def outcome_of(text: str) -> str:
    """Return which of the sentences is there, and that it is the only one."""
    sentences = [name for name, sentence in SENTENCES.items() if sentence in text.replace("&#x27;", "'")]
    assert len(sentences) <= 1
    return sentences[0] if sentences else "done"


@pytest.mark.parametrize(("call", "fault"), TRIED, ids=lambda value: getattr(value, "name", value))
def test_what_the_listener_sees_of_a_fault(
    visit: Browser, table: dict[tuple[str, str], str], call: Call, fault: str
) -> None:
    connected(visit.user, visit.sandbox, seconds=call.seconds_left)
    # What the first page of a process loads is not what is timed.
    visit.ask("get", "feedback:spotify")
    visit.seconds = 0.0
    method, path = call.request.split()
    visit.sandbox.world.slow_seconds = 0.3
    # Reading is tried twice; once where the second try is to succeed.
    times = 1 if fault in ("slow", "expired", "revoked") else 2
    injected = Fault(fault, path, times=times, method=method)
    visit.sandbox.world.faults.append(injected)

    outcome = outcome_of(call.do(visit))

    assert injected.times < times, "the call was not made"
    assert outcome == call.expected[fault]
    assert visit.seconds < LIMIT_SECONDS + busy(BUSY_SECONDS)
    table[call.name, fault] = f"{outcome} {visit.seconds:.1f}"


def test_each_call_of_the_client_is_in_the_table() -> None:
    public = {name for name, _method in inspect.getmembers(SpotifyClient, inspect.isfunction) if name[0] != "_"}

    assert public == {call.name for call in CALLS} - {"exchange_code", "profile_of", "refresh"}


def test_the_table_in_the_documentation_is_what_is_seen() -> None:
    cells = written_cells(DOCUMENT)

    assert {key: cell.rpartition(" ")[0] for key, cell in cells.items()} == {
        (call.name, fault): call.expected[fault] for call in CALLS for fault in FAULTS
    }
    assert max(float(cell.rpartition(" ")[2]) for cell in cells.values()) < LIMIT_SECONDS
