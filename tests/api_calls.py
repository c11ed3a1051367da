"""Calls of the API, as the tests of several files make them."""

from typing import Any

from django.test import Client

JSON = "application/json"


def send(
    client: Client, method: str, path: str, body: Any = None, status: int = 200, headers: dict[str, str] | None = None
) -> Any:
    """Send a call, see that it is answered with ``status``, and return what came back."""
    answer = getattr(client, method)(path, body, content_type=JSON, headers=headers)
    assert answer.status_code == status, answer.content
    return answer.json() if answer.content else None
