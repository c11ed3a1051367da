"""The examples of docs/api.md, run as they stand there; and the docs page in a browser under the strict policy."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site_settings
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from accounts.tokens.services import create_token
from recommender.tests.builders import make_catalogue

pytestmark = pytest.mark.django_db(transaction=True)


def examples() -> list[str]:
    text = Path(site_settings.BASE_DIR, "docs", "api.md").read_text()
    return [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
def test_every_example_works(live_server: LiveServer, tmp_path: Path) -> None:
    songs = make_catalogue()
    user = User.objects.create_user("ada", "ada@example.org", "three blind mice see how")
    key = create_token(user=user, name="docs", scope="write")[1]
    values = {"SITE": live_server.url, "TOKEN": key, "SONG": str(songs[3].pk), "LISTENER": str(user.pk)}
    values["NEXT"] = Client().get("/api/songs?size=2").json()["next"]

    (tmp_path / "my_history.json").write_text('[{"ts": "2023-01-01T10:00:00Z", "ms_played": 200000}]')
    assert len(examples()) >= 25
    for line in examples():
        command = re.sub(r"\$([A-Z]+)", lambda match: values[match[1]], line)
        arguments = [*shlex.split(command), "-w", "\n%{http_code}"]
        done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=True)
        body, code = done.stdout.rsplit("\n", 1)
        assert code in ("200", "201", "202", "204"), (line, done.stdout)
        read = json.loads(body or "null")
        assert read is not None or code == "204", line
        if "/auth/login" in line:
            values["CSRF"] = read["csrf_token"]


def test_every_call_is_described_with_an_example(client: Client) -> None:
    described = client.get("/api/openapi.json").json()
    schemas = described["components"]["schemas"]

    def is_shown(schema: dict[str, Any]) -> bool:
        """Whether there is an example, or nothing that needs one."""
        if {"example", "examples", "enum", "const", "default"} & set(schema) or schema.get("format"):
            return True
        if "$ref" in schema:
            return is_shown(schemas[schema["$ref"].rsplit("/", 1)[1]])
        if schema.get("type") in ("boolean", "null"):
            return True
        inner = [*schema.get("anyOf", []), *schema.get("properties", {}).values()]
        return any(map(is_shown, inner)) or ("items" in schema and is_shown(schema["items"]))

    missing = []
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            requested = [part["schema"] for part in operation.get("requestBody", {}).get("content", {}).values()]
            requested += [{**parameter["schema"], **parameter} for parameter in operation.get("parameters", [])]
            documented = [
                {**part.get("schema", {}), **part}
                for status, answer in operation["responses"].items()
                if status < "300"
                for kind, part in answer.get("content", {}).items()
                if kind == "application/json"
            ]
            if not all(map(is_shown, requested + documented)):
                missing.append(f"{method} {path}")
    assert missing == []
    assert sum(map(len, described["paths"].values())) >= 88


def test_the_docs_page_runs_under_the_strict_policy(live_server: LiveServer, page: Page) -> None:
    errors: list[str] = []
    foreign: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: foreign.append(request.url) if live_server.url not in request.url else None)

    page.goto(f"{live_server.url}/api/docs")

    expect(page.get_by_text("/api/recommendations", exact=True).first).to_be_visible(timeout=60_000)
    assert [error for error in errors if "404" not in error] == []
    assert [url for url in foreign if not url.startswith("data:")] == []
