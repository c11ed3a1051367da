"""Liking and disliking on a page."""

import json

import pytest
from django.test import Client

from accounts.models import User
from catalog.models import Track
from feedback.ratings.models import Rating
from feedback.tests.factories import UserFactory, make_track

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/history/?page=2"}


def url(track: Track) -> str:
    return f"/songs/{track.pk}/rate/"


def ratings() -> list[tuple[int, int, int]]:
    return list(Rating.objects.values_list("user", "track", "value"))


def button(html: str, name: str) -> str:
    """Return the opening tag of the like, dislike or listen button."""
    return html.split(f'id="{name}-', 1)[1].split(">", 1)[0]


@pytest.mark.parametrize(("value", "text"), [("1", "You liked Étude"), ("-1", "You disliked Étude")])
def test_without_javascript_back_to_the_song_with_a_message(
    listener: Client, user: User, track: Track, value: str, text: str
) -> None:
    answer = listener.post(url(track), {"value": value, "next": "/ratings/?page=1"})
    assert (answer.status_code, answer["Location"]) == (302, f"/ratings/?page=1#track-{track.pk}")
    assert ratings() == [(user.pk, track.pk, int(value))]
    assert text in listener.get("/ratings/").content.decode()


def test_zero_clears(listener: Client, user: User, track: Track) -> None:
    Rating.objects.create(user=user, track=track, value=1)
    assert listener.post(url(track), {"value": "0"}).status_code == 302
    assert ratings() == []


@pytest.mark.parametrize("value", ["", "2", "like", "1.0", " 1"])
def test_other_values_are_named_as_wrong(listener: Client, track: Track, value: str) -> None:
    answer = listener.post(url(track), {"value": value})
    assert (answer.status_code, answer.content) == (400, b"value: must be 1, -1 or 0")
    assert ratings() == []


def test_htmx_gets_the_buttons_in_their_new_state(listener: Client, track: Track) -> None:
    answer = listener.post(url(track), {"value": "1", "key": "0123abcd", "next": "/x/"}, headers=HTMX)
    html = answer.content.decode()
    assert answer.status_code == 200
    assert json.loads(answer["HX-Trigger"]) == {"feedback-changed": {}}
    assert html.count("<form") == 1
    assert "<html" not in html
    assert 'aria-pressed="true"' in button(html, "like")
    assert 'value="0"' in button(html, "like")
    assert 'aria-pressed="false"' in button(html, "dislike")
    assert 'value="-1"' in button(html, "dislike")
    assert 'aria-label="Like Étude &lt;in&gt; E"' in button(html, "like")
    assert 'id="like-0123abcd"' in html, "the focus stays on the button"
    assert 'name="next" value="/x/"' in html


def test_htmx_after_clearing_nothing_is_pressed(listener: Client, user: User, track: Track) -> None:
    Rating.objects.create(user=user, track=track, value=-1)
    html = listener.post(url(track), {"value": "0"}, headers=HTMX).content.decode()
    assert html.count('aria-pressed="false"') == 2
    assert 'name="next" value="/history/?page=2"' in html, "without a next, the open page"


def test_forged_key_is_not_echoed(listener: Client, track: Track) -> None:
    answer = listener.post(url(track), {"value": "1", "key": '"><script>'}, headers=HTMX)
    assert "<script" not in answer.content.decode()


def test_visitors_sign_up_and_come_back(client: Client, track: Track) -> None:
    answer = client.post(url(track), {"value": "1", "next": "/history/"})
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/signup/?next=/history/")
    answer = client.post(url(track), {"value": "1"}, headers=HTMX)
    assert (answer.status_code, answer["HX-Redirect"]) == (200, "/accounts/signup/?next=/history/%3Fpage%3D2")
    assert ratings() == []


@pytest.mark.parametrize(
    "address", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"]
)
def test_next_leads_nowhere_else(listener: Client, client: Client, track: Track, address: str) -> None:
    assert listener.post(url(track), {"value": "1", "next": address})["Location"] == f"/#track-{track.pk}"
    listener.logout()
    assert client.post(url(track), {"value": "1", "next": address})["Location"] == "/accounts/signup/?next=/"


def test_hidden_and_unknown_songs_are_not_found(listener: Client, db: None) -> None:
    hidden = make_track(is_active=False)
    for address in (url(hidden), "/songs/999999/rate/", f"/songs/{10**30}/rate/"):
        assert listener.post(address, {"value": "1"}).status_code == 404
    assert ratings() == []


def test_own_rating_only(listener: Client, user: User, track: Track) -> None:
    other = UserFactory()
    Rating.objects.create(user=other, track=track, value=-1)
    listener.post(url(track), {"value": "0"})
    assert ratings() == [(other.pk, track.pk, -1)]


def test_get_is_refused_and_csrf_enforced(listener: Client, user: User, track: Track) -> None:
    assert listener.get(url(track)).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user)
    assert strict.post(url(track), {"value": "1"}).status_code == 403
    assert ratings() == []
