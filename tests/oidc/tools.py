"""The provider of OpenID Connect that the tests log in with, in the version of the lock file, and a browser for it."""

import html
import json
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import requests

from tests.npm import install_locked

HERE = Path(__file__).parent
CLIENT = {"OIDC_CLIENT_ID": "earworm", "OIDC_CLIENT_SECRET": "only for tests, and long enough"}


def install() -> Path:
    """Install the provider, once for each version of the lock, and return its folder; skip the test without it."""
    return install_locked(HERE, name="oidc-provider")


@contextmanager
def provider(site: str, accounts: dict[str, Any]) -> Iterator[str]:
    """Run the provider with these accounts; gives its address."""
    folder = install()
    shutil.copy(HERE / "provider.mjs", folder / "provider.mjs")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    node = shutil.which("node")
    assert node is not None
    command = [node, "provider.mjs", str(port), f"{site}/accounts/oidc/oidc/login/callback/", json.dumps(accounts)]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if line.strip() == "ready":
                    break
            else:
                pytest.fail("the provider did not start")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


class Browser:
    """A browser that fills in forms, with cookies of its own for site and provider."""

    def __init__(self, site: str) -> None:
        self.site = site
        self.session = requests.Session()
        self.page = self.session.get(f"{site}/accounts/login/")

    def open(self, path: str) -> str:
        """Open a page of the site and return it."""
        self.page = self.session.get(self.site + path)
        return self.page.text

    def submit(self, action: str, **values: str) -> requests.Response:
        """Send the form of the open page whose address ends like that."""
        for form in re.findall(r"<form.*?</form>", self.page.text, re.DOTALL):
            address = html.unescape(_attribute(form, "action"))
            if address.split("?")[0].endswith(action):
                fields = {
                    _attribute(field, "name"): html.unescape(_attribute(field, "value"))
                    for field in re.findall(r"<input[^>]*>", form)
                    if 'type="hidden"' in field
                }
                headers = {"Referer": self.page.url}
                self.page = self.session.post(urljoin(self.page.url, address), {**fields, **values}, headers=headers)
                return self.page
        raise AssertionError(f"no form to {action} on {self.page.url}:\n{self.page.text}")

    def log_in_with_provider(self, name: str) -> requests.Response:
        """Press the button on the open page, and log in and consent at the provider."""
        self.submit("/accounts/oidc/oidc/login/")
        if match := re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', self.page.text):
            self.page = self.session.get(html.unescape(match[1]))
        for _step in range(4):
            if "/interaction/" not in self.page.url:
                break
            self.submit("", login=name, password="any")
        return self.page

    def log_in(self, name: str, password: str) -> None:
        """Log in with a password, and confirm it as pages of accounts want it."""
        self.open("/accounts/login/")
        self.submit("/accounts/login/", login=name, password=password)
        self.open("/accounts/reauthenticate/")
        self.submit("/accounts/reauthenticate/", password=password)

    def username(self) -> str | None:
        """Return who is logged in."""
        answer = self.session.get(f"{self.site}/api/user/profile")
        return str(answer.json()["username"]) if answer.status_code == 200 else None


def _attribute(tag: str, name: str) -> str:
    match = re.search(rf'\b{name}="([^"]*)"', tag)
    return match[1] if match else ""
