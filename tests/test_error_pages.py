"""What is not there is told by a page of the site, with its way back, whether it is tried out or served."""

import pytest
from django.test import Client
from pytest_django import Settings

from feedback.tests.factories import UserFactory

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


FORM, FILES = "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"
LONG_NAME = b'--b\r\nContent-Disposition: form-data; name="a"; filename="' + b"a" * 3_000 + b'"\r\n\r\nx\r\n--b--\r\n'
UNREADABLE = [(f"{FORM}; charset=utf-16", b"a=1"), ("multipart/form-data", b"--b"), (FILES, LONG_NAME)]


@pytest.mark.parametrize(("content_type", "body"), UNREADABLE, ids=["charset", "no boundary", "long name"])
@pytest.mark.parametrize("is_logged_in", [True, False])
@pytest.mark.parametrize("path", ["/nowhere/", "/playlists/", "/history/import/", "/language/", "/accounts/login/"])
def test_a_form_that_cannot_be_read_is_the_senders_fault(
    path: str, content_type: str, body: bytes, *, is_logged_in: bool
) -> None:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    if is_logged_in:
        client.force_login(UserFactory())
    client.get("/playlists/" if is_logged_in else "/accounts/login/")
    response = client.generic("POST", path, body, content_type)
    # What is there for listeners alone sends strangers to the log-in.
    assert response.status_code in ({400, 404} if is_logged_in else {302, 400, 403, 404})


@pytest.mark.parametrize(("content_type", "body"), UNREADABLE, ids=["charset", "no boundary", "long name"])
def test_so_is_one_to_a_call(content_type: str, body: bytes) -> None:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(UserFactory())
    client.get("/accounts/email/")
    token = {"X-CSRFToken": client.cookies["csrftoken"].value}
    response = client.generic("POST", "/api/user/history/imports", body, content_type, headers=token)
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("number", ["9" * 20, "\u00b2", "x", "-1"])
def test_a_number_that_no_row_can_have_is_none_in_the_administration(number: str) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    for model in ("accounts/user", "catalog/track", "feedback/play", "jobs/job", "recommender/blend"):
        address = f"/admin/{model}/"
        assert client.get(f"{address}{number}/change/").status_code == 302, address
        assert client.get(address, {"pk__in": number}).status_code in {200, 302, 400}, address
        chosen = {"action": "delete_selected", "_selected_action": number, "index": 0, "select_across": 0}
        assert client.post(address, chosen).status_code in {200, 302, 400, 403}, address
