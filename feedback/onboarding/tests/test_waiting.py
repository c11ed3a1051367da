"""What a visitor pressed before having an account is there once they have one."""

import pytest
from django.test import Client

from accounts.models import User
from catalog.models import Track
from feedback.queue.selectors import queue_state
from feedback.ratings.models import Rating
from feedback.tests.factories import UserFactory, make_track

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
NEW = {
    "username": "ada",
    "email": "ada@example.org",
    "password1": "a long enough secret",
    "password2": "a long enough secret",
    "region": "",
}


@pytest.fixture
def song() -> Track:
    return make_track("Ceiling <Blues>")


@pytest.mark.parametrize(
    ("path", "sent", "reason"),
    [
        ("rate", {"value": "1"}, "Log in or sign up to like “Ceiling &lt;Blues&gt;”."),
        ("rate", {"value": "-1"}, "Log in or sign up to dislike “Ceiling &lt;Blues&gt;”."),
        ("listen", {}, "Log in or sign up to play “Ceiling &lt;Blues&gt;”."),
    ],
)
def test_sign_up_says_why_one_is_there(
    client: Client, song: Track, path: str, sent: dict[str, str], reason: str
) -> None:
    answer = client.post(f"/songs/{song.pk}/{path}/", {**sent, "next": "/songs/"}, follow=True)
    assert answer.redirect_chain[0][0] == "/accounts/signup/?next=/songs/"
    assert reason in answer.content.decode()
    answer = client.post(f"/songs/{song.pk}/{path}/", sent, headers=HTMX)
    assert answer["HX-Redirect"].startswith("/accounts/signup/?next=")


def test_a_new_listener_comes_through_the_start_and_has_the_like(client: Client, song: Track) -> None:
    client.post(f"/songs/{song.pk}/rate/", {"value": "1", "next": "/songs/"})
    answer = client.post("/accounts/signup/?next=/songs/", {**NEW, "next": "/songs/"})
    assert answer["Location"] == "/start/"
    client.get("/start/")
    rating = Rating.objects.get()
    assert (rating.user.username, rating.track, rating.value) == ("ada", song, Rating.Value.LIKE)
    client.get("/start/")
    assert Rating.objects.count() == 1


def test_who_has_an_account_logs_in_and_comes_back(client: Client, song: Track) -> None:
    user = UserFactory()
    user.set_password("a long enough secret")
    user.save()
    client.post(f"/songs/{song.pk}/listen/", {"next": "/songs/"})
    sent = {"login": user.username, "password": "a long enough secret", "next": "/songs/"}
    assert client.post("/accounts/login/?next=/songs/", sent)["Location"] == "/songs/"
    client.get("/songs/")
    current = queue_state(user).current
    assert current is not None
    assert current.track == song


def test_a_song_that_was_hidden_meanwhile_is_let_go(client: Client, song: Track, user: User) -> None:
    client.post(f"/songs/{song.pk}/rate/", {"value": "1"})
    Track.objects.update(is_active=False)
    client.force_login(user)
    assert client.get("/ratings/").status_code == 200
    assert not Rating.objects.exists()
