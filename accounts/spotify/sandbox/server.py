"""The sandbox over HTTP, in threads of this process."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from accounts.spotify.sandbox import accounts_service, web_api
from accounts.spotify.sandbox.state import FAULTS, Fault, World

# Longer than anybody waits.
_TIMEOUT_SECONDS = 30.0
_LONGEST_BODY = 1_000_000
Answer = tuple[int, dict[str, str], Any]


class SandboxServer:
    """A running sandbox; ``with SandboxServer(world) as server: server.url``."""

    def __init__(self, world: World, *, host: str = "127.0.0.1", port: int = 0, is_loud: bool = False) -> None:
        self.world = world
        self.stopped = threading.Event()
        self._http = _Http((host, port), _Handler)
        self._http.sandbox, self._http.is_loud = self, is_loud
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """The accounts service's address; the Web API is below ``/v1/``."""
        return f"http://{self._http.server_address[0]!s}:{self._http.server_address[1]}"

    def __enter__(self) -> "SandboxServer":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stopped.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def serve(self) -> None:
        """Serve until the process is interrupted."""
        with contextlib.suppress(KeyboardInterrupt):
            self._http.serve_forever()
        self._http.server_close()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    sandbox: SandboxServer
    is_loud: bool


class _Handler(BaseHTTPRequestHandler):
    server: _Http

    def do_GET(self) -> None:
        self._handle()

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Print calls only where a person watches, and never what stands behind the question mark."""
        if self.server.is_loud:
            print(self.command, urlsplit(self.path).path, args[1] if len(args) > 1 else "")

    def _handle(self) -> None:
        world = self.server.sandbox.world
        path = urlsplit(self.path).path
        body = self._body()
        fault = None if path.startswith("/_sandbox/") else world.take_fault(self.command, path)
        try:
            if fault is not None and fault.kind == "lost":
                # It is done, and nobody is told.
                self._answer(world, path, body)
                fault = Fault("drop")
            if fault is not None and self._suffer(fault, path):
                return
            self._send(path, *self._answer(world, path, body))
        except (BrokenPipeError, ConnectionResetError):
            # Whoever asked did not wait.
            return

    def _body(self) -> bytes:
        return self.rfile.read(min(int(self.headers.get("Content-Length") or 0), _LONGEST_BODY))

    def _answer(self, world: World, path: str, body: bytes) -> Answer:
        query = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        form = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
        authorization = self.headers.get("Authorization", "")
        if path == "/authorize":
            decide = accounts_service.authorize if self.command == "POST" else accounts_service.authorize_page
            return decide(world, form if self.command == "POST" else query)
        if path == "/api/token" and self.command == "POST":
            return accounts_service.token(world, form, authorization)
        if path == "/_sandbox/faults" and self.command == "POST":
            return _script(world, form)
        if path.startswith("/v1/"):
            token = authorization.removeprefix("Bearer ") if authorization.startswith("Bearer ") else ""
            base, content = self.server.sandbox.url, _json(body)
            world.requests.append((self.command, path, query, content))
            return web_api.answer(world, base, self.command, path, query, content, token)
        return 404, {}, {"error": {"status": 404, "message": "Service not found"}}

    def _suffer(self, fault: Fault, path: str) -> bool:
        """Do what the fault says; return whether the call is thereby answered."""
        sandbox, is_token = self.server.sandbox, path == "/api/token"
        if fault.kind == "slow":
            sandbox.stopped.wait(sandbox.world.slow_seconds)
            return False
        if fault.kind == "timeout":
            sandbox.stopped.wait(_TIMEOUT_SECONDS)
        if fault.kind in ("timeout", "drop"):
            sandbox.world.calls.append((self.command, path, 0))
            self.close_connection = True
            return True
        if fault.kind == "drip":
            self._drip(path)
            return True
        if fault.kind in ("expired", "revoked"):
            if fault.kind == "revoked":
                for listener_id in sandbox.world.listeners:
                    sandbox.world.revoke(listener_id)
            sandbox.world.expire_access()
            return False
        self._send(path, *_faulty(fault, is_token=is_token))
        return True

    def _drip(self, path: str) -> None:
        """Send a byte now and then: each comes in time, and the whole never."""
        self.server.sandbox.world.calls.append((self.command, path, 200))
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        for _second in range(200):
            self.wfile.write(b" ")
            if self.server.sandbox.stopped.wait(0.1):
                return

    def _send(self, path: str, status: int, headers: dict[str, str], body: Any) -> None:
        self.server.sandbox.world.calls.append((self.command, path, status))
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json; charset=utf-8", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _faulty(fault: Fault, *, is_token: bool) -> Answer:
    wait = {"Retry-After": str(fault.retry_after)}
    if fault.kind in ("429", "quota"):
        reason = {"reason": "QUOTA_EXCEEDED"} if fault.kind == "quota" else {}
        return 429, wait, {"error": {"status": 429, "message": "Too many requests", **reason}}
    if fault.kind == "malformed":
        return 200, {}, '{"access_token": "half an ans'
    if fault.kind == "odd":
        # JSON, and yet nothing of what the description says.
        return (
            200,
            {},
            {"items": "none", "tracks": [], "id": 7, "devices": {"a": 1}, "expires_in": "soon", "artists": 1},
        )
    if fault.kind == "403":
        return 403, {}, {"error": {"status": 403, "message": "User not registered in the Developer Dashboard"}}
    return 500, {}, ({"error": "server_error"} if is_token else {"error": {"status": 500, "message": "Server error"}})


def _script(world: World, form: dict[str, str]) -> Answer:
    """Take a fault from outside: ``curl -d fault=429 -d path=/v1/search -d times=2 .../_sandbox/faults``."""
    if form.get("fault") not in FAULTS:
        return 400, {}, {"error": f"fault: one of {', '.join(FAULTS)}"}
    times, wait = form.get("times", "1"), form.get("retry_after", "30")
    if not (times.isdigit() and wait.isdigit()):
        return 400, {}, {"error": "times, retry_after: whole numbers"}
    world.faults.append(Fault(form["fault"], form.get("path", "/v1/"), int(times), int(wait)))
    return 200, {}, {"faults": len(world.faults)}


def _json(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None
