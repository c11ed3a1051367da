"""The API's description: valid OpenAPI 3.1 by three validators, with names that generated clients can keep."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from openapi_spec_validator import OpenAPIV31SpecValidator

from spotify_rec.operation_ids import ENUM_NAMES, OPERATION_IDS
from tests.openapi.tools import HERE, install, run

pytestmark = pytest.mark.django_db


@pytest.fixture
def description(client: Client) -> Any:
    return client.get("/api/openapi.json").json()


def operations(description: Any) -> list[tuple[str, Any]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    ]


def nodes(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [node for item in inner for node in nodes(item)] + [value] * isinstance(value, dict)


def test_it_is_valid_openapi(description: Any) -> None:
    assert description["openapi"] == "3.1.0"
    assert [error.message for error in OpenAPIV31SpecValidator(description).iter_errors()] == []
    assert description["servers"] == [{"url": "/"}]
    assert "name" not in description["components"]["securitySchemes"]["TokenAuth"]


def test_redocly_and_spectral_have_nothing_to_say(description: Any, tmp_path: Path) -> None:
    folder = install()
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(description))

    output = run("redocly", "lint", str(file), f"--config={HERE / 'redocly.yaml'}", folder=folder, cwd=tmp_path)
    assert "Your API description is valid" in output
    assert "warning" not in output.replace("Deprecation warning", ""), output
    output = run(
        "spectral", "lint", str(file), f"--ruleset={HERE / 'spectral.yaml'}", "--fail-severity=hint",
        folder=folder, cwd=tmp_path,
    )  # fmt: skip
    assert "No results" in output, output


def test_examples_of_parameters_stand_in_their_schemas(description: Any) -> None:
    parameters = [parameter for _call, operation in operations(description) for parameter in operation["parameters"]]
    assert len(parameters) > 80
    assert [parameter for parameter in parameters if "examples" in parameter] == []
    assert [parameter for parameter in parameters if {"type": "null"} in parameter["schema"].get("anyOf", [])] == []


def test_every_call_says_who_may_call_it(description: Any) -> None:
    public = {call for call, operation in operations(description) if operation["security"] == []}
    assert public == {
        "POST /api/auth/register",
        "POST /api/auth/login",
        "GET /api/auth/logout",
        "POST /api/auth/logout",
    }


def test_names_are_the_apis_own(description: Any) -> None:
    ids = {operation["operationId"] for _call, operation in operations(description)}
    assert ids == set(OPERATION_IDS.values())
    assert len(ids) == len(OPERATION_IDS)
    schemas = description["components"]["schemas"]
    enums = {name: tuple(schema["enum"]) for name, schema in schemas.items() if "enum" in schema}
    assert enums == {name: values for values, name in ENUM_NAMES.items()}
    inline = [node for node in nodes(description) if isinstance(node.get("enum"), list)]
    assert len(inline) == len(enums)


def test_every_schema_is_used(description: Any) -> None:
    used = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(description)))
    assert set(description["components"]["schemas"]) == used


def test_tags_are_described(description: Any) -> None:
    used = {tag for _call, operation in operations(description) for tag in operation["tags"]}
    assert used == {tag["name"] for tag in description["tags"]}
    assert [call for call, operation in operations(description) if len(operation["tags"]) != 1] == []


@pytest.mark.parametrize(
    ("path", "kinds"),
    [
        ("/api/user/export.zip", ["application/zip"]),
        ("/api/user/history.csv", ["text/csv"]),
        ("/api/playlists/{playlist_id}/file", ["audio/x-mpegurl", "application/jspf+json", "text/csv"]),
    ],
)
def test_files_are_described_as_files_alone(description: Any, path: str, kinds: list[str]) -> None:
    content = description["paths"][path]["get"]["responses"]["200"]["content"]
    assert content == {kind: {"schema": {"type": "string", "format": "binary"}} for kind in kinds}


def test_booleans_are_booleans(description: Any) -> None:
    form = description["paths"]["/api/user/history/imports"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert form["schema"]["properties"]["wants_own_songs"]["type"] == "boolean"
    assert [node for node in nodes(description) if node.get("enum") in (["true", "false"], ["false", "true"])] == []
