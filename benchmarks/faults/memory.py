"""What two web workers keep after thousands of the most expensive requests that anybody may send.

``python -m benchmarks.faults.memory --requests 10000``. It builds a site of its own, talks to 127.0.0.1 alone, and
ends with 1 where a worker was replaced, or grew by more than ``--allowed`` MB in the second half: until then its caches
fill, and the heap reaches what its four threads need at most at the same time.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from benchmarks.site import CSRF, Site

SONGS = 3_000
_LISTENERS = 40
_CLIENTS = 4
_JSON = {"Content-Type": "application/json"}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_MANY_KEYS = json.dumps({f"k{number}": 1 for number in range(120_000)})
# Letters of one, two, three and four bytes, and those that fold to several.
_LETTERS = "aeßéИ漢🎵ﷺ "


@dataclass(frozen=True)
class Request:
    """What is sent; ``is_cut`` ends the connection before the body has gone."""

    method: str
    path: str
    body: str = ""
    headers: dict[str, str] | None = None
    is_cut: bool = False


Kind = Callable[[random.Random], Request]


def _text(rng: random.Random, length: int) -> str:
    return "".join(rng.choices(_LETTERS, k=length))


def _key(rng: random.Random) -> str:
    return f"{rng.getrandbits(128):032x}"


def _post(path: str, body: str, **headers: str) -> Request:
    return Request("POST", path, body, {**_JSON, **headers})


def _get(path: str, **headers: str) -> Request:
    return Request("GET", path, headers=headers)


def _multipart(content: str) -> Request:
    head = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.json"\r\n\r\n'
    return Request("POST", "/history/import/", f"{head}{content}\r\n--x--\r\n", {
        "Content-Type": "multipart/form-data; boundary=x"
    })  # fmt: skip


def kinds() -> dict[str, Kind]:
    """Return the worst of each kind of request, none of them the same twice."""
    deep = "[" * 20_000
    return {
        "host": lambda rng: _get("/", Host=_key(rng) * 250),
        "unknown host": lambda rng: _get("/", Host=f"{_key(rng)}.example"),
        "path": lambda rng: _get(f"/{_key(rng) * 60}/"),
        "query": lambda rng: _get(f"/songs/?{_key(rng) * 60}={_key(rng)}&page=99999"),
        "search": lambda rng: _get(f"/search/?q={quote(_text(rng, 150))}"),
        "search by call": lambda rng: _get(f"/api/search?q={quote(_text(rng, 200))}"),
        "suggestions": lambda rng: _get(f"/search/?q={_text(rng, 2).encode().hex()}", HX_Request="true"),
        "keys": lambda _rng: _post("/api/auth/login", _MANY_KEYS),
        "keys of a list": lambda _rng: Request("PUT", "/api/playback/queue", _MANY_KEYS, _JSON),
        "unknown keys": lambda rng: _post("/api/auth/login", json.dumps({_key(rng) * 4: 1 for _key_ in range(400)})),
        "deep": lambda _rng: _post("/api/feedback", deep),
        "deep list": lambda _rng: _post("/api/playlists", deep * 20),
        "guess": lambda rng: _post("/api/auth/login", json.dumps({"username": _key(rng), "password": _key(rng)})),
        "guess by form": lambda rng: Request("POST", "/accounts/login/", f"login={_key(rng)}&password=x", _FORM),
        "fields": lambda rng: Request("POST", "/profile/", "&".join(f"{_key(rng)}=1" for _n in range(900)), _FORM),
        "too many fields": lambda _rng: Request("POST", "/profile/", "&".join(f"a{n}=1" for n in range(9000)), _FORM),
        "token": lambda rng: _get("/api/user/profile", Authorization=f"Bearer {_key(rng) * 60}"),
        "session": lambda rng: _get("/", Cookie=f"sessionid={_key(rng)}; a={'b' * 7000}"),
        "languages": lambda rng: _get("/", Accept_Language=",".join(_key(rng)[:8] for _name in range(99))),
        "a few languages": lambda rng: _get("/songs/", Accept_Language=f"{_key(rng)[:8]},{_key(rng)[:3]};q=0.3"),
        "upload": lambda rng: _multipart(json.dumps([{"a": _key(rng)}] * 20_000)),
        "cut": lambda _rng: Request("POST", "/api/auth/login", "x" * 60_000, _JSON, is_cut=True),
        "statistics": lambda _rng: _get("/api/user/statistics?period=all"),
        "description": lambda _rng: _get("/api/openapi.json"),
        "recommendations": lambda rng: _get(f"/api/recommendations?k=100&adventurousness={rng.random():.4f}"),
        "first page": lambda _rng: _get("/"),
        "song": lambda rng: _get(f"/songs/{rng.randint(1, SONGS)}/"),
        "song by call": lambda rng: _get(f"/api/songs/{rng.randint(1, 10**18)}"),
        "songs": lambda rng: _get(f"/api/songs?limit=200&offset={rng.randint(0, SONGS)}"),
        "browse": lambda rng: _get(f"/songs/?page={rng.randint(1, 60)}"),
        "like": lambda rng: _post(
            "/api/feedback", json.dumps({"song_id": rng.randint(1, SONGS), "value": "like"}), Idempotency_Key=_key(rng)
        ),
        "export": lambda _rng: _get("/api/user/export"),
        "exported file": lambda _rng: _get("/api/user/export.zip"),
        "method": lambda rng: Request(f"X{_key(rng)[:9]}".upper(), "/"),
        "head": lambda _rng: Request("HEAD", "/songs/"),
        "static": lambda rng: _get(f"/static/{_key(rng)}.css"),
        "numbers": lambda _rng: _get("/metrics"),
    }  # fmt: skip


class Sender(threading.Thread):
    """One of several clients: sends its share of each thousand, as listeners of its own and as a stranger."""

    def __init__(self, site: Site, sessions: list[str], count: int, seed: int, statuses: dict[str, set[int]]) -> None:
        super().__init__()
        self._site, self._sessions, self._count = site, sessions, count
        self._rng, self._statuses = random.Random(seed), statuses

    def run(self) -> None:
        """Send."""
        named = list(kinds().items())
        for number in range(self._count):
            name, make = named[number % len(named)]
            request = make(self._rng)
            session = self._rng.choice(self._sessions) if self._rng.random() < 0.7 else ""
            self._statuses.setdefault(name, set()).add(self._send(request, session))

    def _send(self, request: Request, session: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self._site.port, timeout=60)
        headers = {"Cookie": f"sessionid={session}; csrftoken={CSRF}", "X-CSRFToken": CSRF}
        headers |= {name.replace("_", "-"): value for name, value in (request.headers or {}).items()}
        try:
            connection.connect()
            if request.is_cut:
                connection.sock.sendall(f"POST {request.path} HTTP/1.1\r\nContent-Length: 64000\r\n\r\n".encode())
                connection.sock.sendall(request.body.encode())
                return 0
            # What is refused unread ends the connection while we still send.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.request(request.method, request.path, request.body.encode() or None, headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()


def memory(web: int) -> dict[int, tuple[float, float]]:
    """Return what each worker has in memory, and how much of it is no file's, in MB (of a million bytes).

    Pages of files (the model, the database) come and go as the system likes: only the second can leak.
    """
    children = Path(f"/proc/{web}/task/{web}/children").read_text().split()
    sizes: dict[int, tuple[float, float]] = {}
    for child in children:
        lines = Path(f"/proc/{child}/smaps_rollup").read_text().splitlines()
        kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:] if len(line.split()) > 1}
        sizes[int(child)] = (kilobytes["Rss"] * 1024 / 1e6, kilobytes["Anonymous"] * 1024 / 1e6)
    return dict(sorted(sizes.items()))


def _furnish(site: Site) -> list[str]:
    os.environ.update(site.environment)
    import django

    django.setup()
    from benchmarks.crowd import invent_songs
    from benchmarks.people import make_busy_listener, make_listener
    from catalog.models import Track

    songs = site.folder / "songs.csv"
    invent_songs(songs, SONGS)
    for step in (["migrate"], ["collectstatic", "--noinput"], ["import_tracks", str(songs)], ["retrain"]):
        site.manage(*step)
    rng, tracks = random.Random(0), list(Track.objects.values_list("pk", flat=True))
    busy = [make_busy_listener(f"busy{n}", rng.sample(tracks, 500), rng.choices(tracks, k=3000))[0] for n in range(4)]
    return busy + [make_listener(f"listener{n}", rng.sample(tracks, 60)) for n in range(_LISTENERS)]


def measure(site: Site, sessions: list[str], *, requests: int, steps: int, allowed: float) -> bool:
    """Send, print what each worker has after each step, and return whether it stayed within ``allowed`` MB."""
    statuses: dict[str, set[int]] = {}
    with site.serving(workers=2) as web:
        rows = [(0, memory(web))]
        print("| requests | MB of each worker | no file's | seconds |\n|---|---|---|---|", flush=True)
        for step in range(steps):
            start = time.monotonic()
            share = requests // steps // _CLIENTS
            senders = [Sender(site, sessions, share, 100 * step + n, statuses) for n in range(_CLIENTS)]
            for sender in senders:
                sender.start()
            for sender in senders:
                sender.join()
            rows.append(((step + 1) * requests // steps, memory(web)))
            sizes = " | ".join(" / ".join(f"{size[part]:.0f}" for size in rows[-1][1].values()) for part in (0, 1))
            print(f"| {rows[-1][0]} | {sizes} | {time.monotonic() - start:.0f} |", flush=True)
    for name, answers in sorted(statuses.items()):
        print(f"{name}: {sorted(answers)}")
    has_failed = any(status >= 500 for answers in statuses.values() for status in answers)
    _growth(rows, max(1, steps // 5), "the first fifth")
    growth = _growth(rows, max(1, steps // 2), "the first half")
    return growth is not None and growth <= allowed and not has_failed


def _growth(rows: list[tuple[int, dict[int, tuple[float, float]]]], since: int, name: str) -> float | None:
    """Print and return by how much the worker grew most since that step, in MB; None where one was replaced."""
    early, late = rows[since][1], rows[-1][1]
    if early.keys() != late.keys():
        print("a worker was replaced")
        return None
    growth = [late[worker][1] - early[worker][1] for worker in late]
    print(f"growth of what is no file's after {name}:", " / ".join(f"{size:+.1f} MB" for size in growth))
    return max(growth)


def main() -> None:
    """Measure; end with 1 where memory grew or an answer was a failure of the site."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--allowed", type=float, default=8.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        site = Site.create(Path(name))
        sessions = _furnish(site)
        is_fine = measure(site, sessions, requests=options.requests, steps=options.steps, allowed=options.allowed)
    if not is_fine:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
