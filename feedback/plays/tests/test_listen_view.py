"""The "Listen" button."""

import json
from html import unescape
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import User
from catalog.models import Track
from feedback.plays.models import Play
from feedback.ratings.models import Rating
from feedback.tests.factories import make_track

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/"}


def url(track: Track) -> str:
    return f"/songs/{track.pk}/listen/"


def test_play_is_recorded_once_for_a_form_sent_twice(listener: Client, user: User, track: Track) -> None:
    form = {"token": str(uuid4()), "next": "/history/"}
    for _ in range(2):
        assert listener.post(url(track), form)["Location"] == f"/history/#track-{track.pk}"
    assert list(Play.objects.values_list("user", "track", "outcome", "source", "is_counted")) == [
        (user.pk, track.pk, "started", "site", True)
    ]


def test_each_rendered_button_has_a_new_token(listener: Client, track: Track) -> None:
    tokens = {
        listener.post(url(track), headers=HTMX).content.decode().split('name="token" value="', 1)[1][:36]
        for _ in range(2)
    }
    assert len(tokens) == 2
    for token in tokens:
        listener.post(url(track), {"token": token})
    assert Play.objects.count() == 4


def test_bad_token_is_named_as_wrong(listener: Client, track: Track) -> None:
    answer = listener.post(url(track), {"token": "x"})
    assert (answer.status_code, answer.content) == (400, b"token: must be a UUID")
    assert not Play.objects.exists()


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        ({"preview_url": "https://sound.example/a.mp3"}, 'src="https://sound.example/a.mp3"'),
        ({"spotify_id": "1" * 22}, 'href="https://open.spotify.com/track/1111111111111111111111"'),
        ({"spotify_id": "demo" + "1" * 18}, "There's no audio for this song."),
        ({}, "There's no audio for this song."),
    ],
)
def test_what_can_be_heard_is_said(listener: Client, columns: dict[str, str], shown: str) -> None:
    track = make_track(**columns)
    answer = listener.post(url(track), headers=HTMX)
    html = unescape(answer.content.decode())
    assert json.loads(answer["HX-Trigger"]) == {"feedback-changed": {}}
    assert "Added to your history." in html
    assert shown in html
    listener.post(url(track))
    message = unescape(listener.get("/ratings/").content.decode())
    assert "Added Song to your history." in message
    assert shown.removeprefix("src=").removeprefix("href=") in message


def test_the_rating_is_still_shown(listener: Client, user: User, track: Track) -> None:
    Rating.objects.create(user=user, track=track, value=-1)
    html = listener.post(url(track), headers=HTMX).content.decode()
    assert html.count('aria-pressed="true"') == 1


def test_visitors_sign_up(client: Client, track: Track) -> None:
    assert client.post(url(track), {"next": "/history/"})["Location"] == "/accounts/signup/?next=/history/"
    assert client.post(url(track), headers=HTMX)["HX-Redirect"] == "/accounts/signup/?next=/"
    assert not Play.objects.exists()


def test_hidden_song_is_not_found(listener: Client) -> None:
    assert listener.post(url(make_track(is_active=False))).status_code == 404


def test_get_is_refused_and_csrf_enforced(listener: Client, user: User, track: Track) -> None:
    assert listener.get(url(track)).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user)
    assert strict.post(url(track)).status_code == 403
    assert not Play.objects.exists()
