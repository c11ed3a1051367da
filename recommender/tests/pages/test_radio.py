"""What plays when the queue has ended."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from catalog.models import Track
from feedback.queue.models import QueueItem
from feedback.queue.services import play_all
from feedback.ratings.services import rate
from feedback.tests.factories import UserFactory, make_track
from jobs.tests.threads import run_together
from recommender.lifecycle.versions import forget_loaded
from recommender.pages.radio import RADIO_SIZE, next_song
from recommender.tests.builders import make_catalogue


@pytest.fixture
def user(db: None) -> User:
    return UserFactory(adventure=0.0)


@pytest.fixture
def catalogue(db: None, settings: Any, tmp_path: Path) -> Any:
    settings.MODEL_DIR = tmp_path / "models"
    make_catalogue()
    call_command("retrain", verbosity=0)
    yield
    forget_loaded()


@pytest.mark.usefixtures("catalogue")
def test_after_the_last_song_recommended_ones_follow(client: Client, user: User) -> None:
    client.force_login(user)
    liked = Track.objects.get(title="Song 0.0")
    rate(user=user, track=liked, value=1)
    last = Track.objects.get(title="Song 9.0")
    play_all(user=user, tracks=[last], origin="Likes")
    state = client.post("/player/next/").json()
    assert (state["current"]["is_radio"], state["ahead"], state["has_previous"]) == (True, RADIO_SIZE - 1, True)
    held = list(QueueItem.objects.order_by("position").values_list("track__title", flat=True))
    assert len(set(held)) == 1 + RADIO_SIZE
    # By the artist of the liked song first, and not the song itself.
    assert held[1].startswith("Song 0.")
    assert "Song 0.0" not in held


@pytest.mark.usefixtures("catalogue")
def test_two_devices_at_the_end_go_on_together(user: User) -> None:
    play_all(user=user, tracks=[Track.objects.get(title="Song 9.0")])
    after = QueueItem.objects.get().pk
    first = next_song(user=user, after=after)
    second = next_song(user=user, after=after)
    assert first is not None
    assert first == second
    assert QueueItem.objects.count() == 1 + RADIO_SIZE


@pytest.mark.django_db
def test_before_the_first_retrain_popular_songs_follow(client: Client, user: User) -> None:
    client.force_login(user)
    popular = [make_track(f"Known {n}", artist=f"Artist {n}", popularity=90 - n) for n in range(2)]
    assert client.post("/player/next/").json()["current"]["track"]["id"] == popular[0].pk
    assert next_song(user=user).track == popular[1]  # type: ignore[union-attr]
    # A small catalogue goes round again.
    assert next_song(user=user).track == popular[0]  # type: ignore[union-attr]


@pytest.mark.django_db
def test_without_songs_there_is_silence(client: Client, user: User) -> None:
    client.force_login(user)
    assert client.post("/player/next/").json()["current"] is None
    assert client.post("/player/next/", {"after": "x"}).status_code == 422


@pytest.mark.django_db(transaction=True)
def test_two_devices_at_once_add_one_page() -> None:
    user = UserFactory()
    for number in range(3):
        make_track(f"Known {number}", artist=f"Artist {number}", popularity=90 - number)
    play_all(user=user, tracks=[make_track("Last")])
    after = QueueItem.objects.get().pk
    items = run_together(*[lambda: next_song(user=user, after=after)] * 3)
    assert {item.track.title for item in items} == {"Known 0"}
    assert QueueItem.objects.count() == 4
