"""Visit a running site as a browser without scripts would: a page, its style sheets, a log-in, a like.

The standard library is enough, so that it runs where nothing of the project is installed:
``python site_visit.py http://127.0.0.1:8000/ listener PASSWORD``.
"""

import http.cookiejar
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field

SECONDS = 60.0


@dataclass
class Visitor:
    """A browser without scripts, with cookies of its own, that begins at ``address`` (ending with a slash)."""

    address: str
    cookies: http.cookiejar.CookieJar = field(default_factory=http.cookiejar.CookieJar)

    def __post_init__(self) -> None:
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.cookies)
        )

    def get(self, path: str) -> str:
        """Return the page at ``place``, a full path or one relative to the address."""
        with self._opener.open(urllib.parse.urljoin(self.address, path), timeout=SECONDS) as answer:
            return str(answer.read().decode())

    def post(self, path: str, **fields: str) -> str:
        """Send a form as the page does, with the token of its cookie, and return the page that it leads to."""
        token = next((cookie.value or "" for cookie in self.cookies if "csrf" in cookie.name), "")
        body = urllib.parse.urlencode({"csrfmiddlewaretoken": token, **fields}).encode()
        request = urllib.request.Request(urllib.parse.urljoin(self.address, path), body)
        request.add_header("Referer", self.address)
        with self._opener.open(request, timeout=SECONDS) as answer:
            return str(answer.read().decode())

    def wait(self, seconds: float, *, is_alive: Callable[[], bool] = lambda: True) -> float:
        """Wait until the site answers and return how long that took. Raises ``TimeoutError``, early if it is dead."""
        start = time.monotonic()
        while time.monotonic() - start < seconds and is_alive():
            try:
                self.get("healthz")
            except urllib.error.HTTPError:
                raise
            except OSError:
                time.sleep(0.2)
            else:
                return time.monotonic() - start
        raise TimeoutError(f"no answer from {self.address} within {time.monotonic() - start:.0f} s")


def visit(address: str, *, username: str, password: str) -> list[str]:
    """Ask for a page and its style sheets, log in, like a song; return a line for each.

    Raises ``AssertionError`` with what was wrong, ``OSError`` where the site gives no answer or an error.
    """
    visitor = Visitor(address)
    seen = [f"answers after {visitor.wait(SECONDS):.1f} s"]
    page = visitor.get("songs/")
    seen.append(f"songs/: {len(page):,} characters")
    sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page)
    assert len(sheets) >= 2, sheets
    for sheet in sheets:
        rules = visitor.get(sheet)
        assert len(rules) > 1000, f"{sheet} has {len(rules)} characters only"
        seen.append(f"{sheet}: {len(rules):,} characters")
    visitor.get("accounts/login/")
    page = visitor.post("accounts/login/", login=username, password=password)
    assert "account_logout" in page or "/accounts/logout/" in page, "the log-in did not succeed"
    likeable = re.search(r'id="track-(\d+)"', visitor.get("songs/"))
    assert likeable is not None, "no song to like"
    visitor.post(f"songs/{likeable[1]}/rate/", value="1")
    assert f'id="track-{likeable[1]}"' in visitor.get("ratings/"), "the like is not among the likes"
    return [*seen, f"logged in as {username}, song {likeable[1]} liked"]


if __name__ == "__main__":
    print("\n".join(visit(sys.argv[1], username=sys.argv[2], password=sys.argv[3])))
