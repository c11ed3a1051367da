"""A proxy that shows a site below a path and takes that path away, as nginx and Caddy do by ``deploy/``'s examples."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# They are between two neighbours alone (RFC 9110, 7.6.1).
_OF_THE_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "host"}
SECONDS = 300


class StrippingProxy(ThreadingHTTPServer):
    """Asks the site on ``site_port`` for what is below ``path``; what lies beside it is 404, and kept in ``strays``."""

    daemon_threads = True

    def __init__(self, path: str, site_port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.path, self.site_port = path, site_port
        self.strays: list[str] = []

    @property
    def address(self) -> str:
        """Where the site begins, for a browser."""
        return f"http://127.0.0.1:{self.server_port}{self.path}/"


class _Handler(BaseHTTPRequestHandler):
    server: StrippingProxy
    protocol_version = "HTTP/1.1"

    def _forward(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        prefix = f"{self.server.path}/"
        if not self.path.startswith(prefix):
            self.server.strays.append(self.path)
            self._answer(404, [], b"")
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _OF_THE_CONNECTION}
        headers |= {"Host": self.headers["Host"], "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http"}
        site = http.client.HTTPConnection("127.0.0.1", self.server.site_port, timeout=SECONDS)
        try:
            site.request(self.command, self.path.removeprefix(self.server.path), body, headers)
            answer = site.getresponse()
            content = answer.read()
        except OSError:
            self._answer(502, [], b"")
            return
        finally:
            site.close()
        self._answer(answer.status, answer.getheaders(), content)

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in {*_OF_THE_CONNECTION, "content-length"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        # A browser that has gone elsewhere does not wait for what it asked.
        with suppress(ConnectionError):
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _forward  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def stripping_proxy(path: str, site_port: int) -> Iterator[StrippingProxy]:
    """Run the proxy on a free port for as long as the block lasts."""
    proxy = StrippingProxy(path, site_port)
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join()
