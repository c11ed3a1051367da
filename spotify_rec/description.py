"""The API's description (OpenAPI 3.1), completed in one place so that validators and client generators take it."""

from collections.abc import Iterator
from typing import Any

from accounts.apikit.problems import CONTENT_TYPE
from spotify_rec.operation_ids import ENUM_NAMES, OPERATION_IDS

Node = dict[str, Any]
INFO = {
    "license": {"name": "MIT", "identifier": "MIT"},
    "contact": {"name": "The site's operator"},
}
TAGS = [
    {"name": "account", "description": "Sign up, log in, your profile, your data."},
    {"name": "songs", "description": "Browse, search and look up the catalogue."},
    {"name": "recommendations", "description": "Songs for you, why they are there, and songs like others."},
    {"name": "ratings", "description": "Likes and dislikes."},
    {"name": "taste", "description": "Your taste as we see it, your preferences, and what to leave out."},
    {"name": "playback", "description": "The player and its queue."},
    {"name": "playlists", "description": "Your playlists and their files."},
    {"name": "history", "description": "Your plays, statistics, and importing a listening history."},
    {"name": "spotify", "description": "Your Spotify connection."},
    {"name": "operator", "description": "For the site's operator."},
]
_SCHEMAS = "#/components/schemas/"


def complete(schema: Node, *, root: str) -> None:
    """Complete the description that the API library made; ``root`` is the path below which the API lies."""
    for path, operations in schema["paths"].items():
        address = "/" + path.lstrip("/").removeprefix(root.lstrip("/")).removeprefix("api/")
        for method, operation in operations.items():
            operation["operationId"] = OPERATION_IDS[f"{method.upper()} {address}"]
            operation.setdefault("description", operation["summary"] + ".")
            # Without this, a description says that the call needs whatever the whole API needs.
            operation.setdefault("security", [])
            _complete_parameters(operation)
            _complete_responses(operation)
    schemas = schema["components"]["schemas"]
    for scheme in schema["components"]["securitySchemes"].values():
        if scheme["type"] == "http":
            scheme.pop("name", None)
    _name_enums(schema["paths"], schemas)
    for content in list(schemas.values()):
        _name_enums(content, schemas)
    _drop_unused(schema)


def _complete_parameters(operation: Node) -> None:
    for parameter in operation["parameters"]:
        # Examples in a list belong into the schema, which has them; a parameter has a map.
        parameter.pop("examples", None)
        choices = parameter["schema"].get("anyOf", [])
        filled = [choice for choice in choices if choice.get("type") != "null"]
        if len(filled) == 1 and len(filled) < len(choices):
            # A parameter is left out rather than null.
            del parameter["schema"]["anyOf"]
            parameter["schema"].update(filled[0])


def _complete_responses(operation: Node) -> None:
    for status, answer in operation["responses"].items():
        content = answer.get("content", {})
        if int(status) >= 400 and content:
            answer["content"] = {CONTENT_TYPE: content.pop("application/json")}
        elif any(_is_file(part) for part in content.values()):
            answer["content"] = {kind: part for kind, part in content.items() if kind != "application/json"}
        if int(status) == 429:
            answer["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
        if int(status) == 304:
            answer["description"] = "Not modified since the response with this ETag."
    if operation["security"] and "403" not in map(str, operation["responses"]):
        # Visitors are let in, too.
        operation["security"].append({})


def _is_file(part: Node) -> bool:
    return bool(part.get("schema", {}).get("format") == "binary")


def _nodes(content: Any) -> Iterator[Node]:
    """Yield every object inside ``content``, the outer ones last."""
    if isinstance(content, dict):
        for inner in content.values():
            yield from _nodes(inner)
        yield content
    elif isinstance(content, list):
        for inner in content:
            yield from _nodes(inner)


def _name_enums(content: Any, schemas: Node) -> None:
    """Give every enumeration in ``content`` its name from the table, and its values a schema of that name."""
    for node in _nodes(content):
        values = node.get("enum")
        if not isinstance(values, list):
            continue
        name = ENUM_NAMES.get(tuple(values))
        if name is None or node is schemas.get(name):
            continue
        schemas[name] = {"title": name, "type": node.pop("type"), "enum": node.pop("enum")}
        node["$ref"] = _SCHEMAS + name


def _drop_unused(schema: Node) -> None:
    """Drop the schemas that no call refers to: those of queries, whose fields are parameters of their own."""
    schemas, used = schema["components"]["schemas"], set[str]()
    waiting = [schema["paths"]]
    while waiting:
        names = {node["$ref"].removeprefix(_SCHEMAS) for node in _nodes(waiting.pop()) if "$ref" in node}
        new = {name for name in names - used if name in schemas}
        waiting += [schemas[name] for name in new]
        used |= new
    schema["components"]["schemas"] = {name: schemas[name] for name in sorted(used)}
