"""What is not there is told by a page of the site, with its way back, whether it is tried out or served."""

import pytest
from django.test import Client
from pytest_django import Settings

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("is_tried_out", [True, False])
@pytest.mark.parametrize("address", ["/nowhere/", "/songs/999999/", "/genres/999999/"])
def test_what_is_not_there(client: Client, settings: Settings, address: str, *, is_tried_out: bool) -> None:
    settings.DEBUG = is_tried_out
    response = client.get(address)
    assert response.status_code == 404
    page = response.content.decode()
    assert "Page not found" in page
    assert 'href="/songs/"' in page
    assert "URLconf" not in page


def test_a_call_is_still_answered_with_a_problem(client: Client, settings: Settings) -> None:
    settings.DEBUG = True
    response = client.get("/api/nowhere")
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
