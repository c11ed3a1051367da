"""The page of the listener's taste: what it shows of the engine's numbers, and that its switches steer."""

from datetime import timedelta

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from catalog.models import Artist, Genre, Track
from feedback.preferences import services as preference_services
from feedback.preferences.models import TasteAdjustment, TasteExclusion
from feedback.ratings.models import Rating
from feedback.ratings.services import rate
from recommender.adapters.feedback import load_feedback
from recommender.lifecycle.versions import active_model
from recommender.pages.taste.charts import movement_chart
from recommender.pages.taste.profile import taste_of
from recommender.pages.taste.words import sound_words
from recommender.tests.builders import make_catalogue, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def tracks() -> list[Track]:
    made = make_catalogue()
    call_command("retrain", verbosity=0)
    return made


@pytest.fixture
def user(client: Client) -> User:
    made = make_user(adventure=0.0)
    client.force_login(made)
    return made


def like(user: User, *tracks: Track, days: int = 0) -> None:
    for track in tracks:
        rate(user=user, track=track, value=Rating.Value.LIKE)
        Rating.objects.filter(user=user, track=track).update(updated_at=timezone.now() - timedelta(days=days))


def test_artists_and_genres_stand_in_the_order_of_the_engines_weights(tracks: list[Track], user: User) -> None:
    like(user, tracks[0], tracks[1], tracks[4])
    rate(user=user, track=tracks[20], value=Rating.Value.DISLIKE)
    taste = taste_of(user)
    assert taste is not None
    assert [(line.name, round(line.weight, 2)) for line in taste.artists] == [
        ("Artist 0", 1.0),
        ("Artist 1", 0.5),
        ("Artist 5", -0.5),
    ]
    assert [line.name for line in taste.genres] == ["folk", "techno"]
    assert taste.genres[1].weight == pytest.approx(-1 / 3, abs=0.01)
    assert {line.level for line in (*taste.artists, *taste.genres)} == {"normal"}


def test_the_sound_is_that_of_the_liked_songs_beside_the_catalogue(tracks: list[Track], user: User) -> None:
    like(user, *tracks[:4])
    taste = taste_of(user)
    assert taste is not None
    energy = next(line for line in taste.sound if line.name == "energy")
    assert (energy.low, energy.middle, energy.high) == pytest.approx((10.0, 10.0, 10.0), abs=0.1)
    assert (energy.usual_low, energy.usual_high) == pytest.approx((10.0, 90.0), abs=0.1)
    assert "calm" in taste.words
    assert "acoustic" in taste.words


def test_words_tell_what_differs_most_first() -> None:
    assert sound_words({"energy": (0.5, 0.1, 0.9), "tempo": (0.9, 0.1, 0.9), "valence": (0.3, 0.1, 0.9)}) == [
        "fast",
        "gloomy",
    ]


def test_how_it_moved_is_computed_from_dated_feedback(tracks: list[Track], user: User) -> None:
    like(user, *tracks[:4], days=200)
    like(user, *tracks[20:28])
    taste = taste_of(user)
    assert taste is not None
    moved = {line.name: line.shares for line in taste.moved}
    assert moved["folk"][0] == 1.0
    assert moved["techno"][0] == 0.0
    assert moved["techno"][-1] > 0.6
    assert moved["folk"][-1] + moved["techno"][-1] == pytest.approx(1.0, abs=0.01)
    chart = movement_chart(taste.moved, taste.days)
    assert chart is not None
    assert len(chart.dates) == len(moved["folk"]) == 8


def test_a_young_taste_has_not_moved(tracks: list[Track], user: User) -> None:
    like(user, tracks[0], days=2)
    taste = taste_of(user)
    assert taste is not None
    assert (taste.moved, taste.days) == ([], [])
    assert movement_chart(taste.moved, taste.days) is None


def test_the_switches_change_the_terms_and_the_page_says_so(tracks: list[Track], user: User, client: Client) -> None:
    like(user, tracks[0], tracks[20])
    loaded = active_model()
    assert loaded is not None
    term = loaded.model.terms["artist"]
    before = term.score(loaded.model.listener(load_feedback(user, loaded)))
    artist = Artist.objects.get(name="Artist 0")
    sent = {"kind": "artist", "id": str(artist.pk), "level": "off", "next": "/taste/"}
    page = client.post(reverse("feedback:adjust"), sent, follow=True).content.decode()
    assert "Artist 0 no longer counts." in page
    after = term.score(loaded.model.listener(load_feedback(user, loaded)))
    ids = [track.pk for track in tracks if track.title.startswith("Song 0.")]
    mine = np.isin(loaded.model.catalogue.track_ids, ids)
    assert before[mine].all()
    assert not after[mine].any()
    # Feedback counts less as it ages: a slow machine sees the moments between the two.
    np.testing.assert_allclose(after[~mine], before[~mine], atol=1e-5)
    taste = taste_of(user)
    assert taste is not None
    line = next(line for line in taste.artists if line.id == artist.pk)
    assert (line.level, line.weight) == ("off", 1.0)
    button = f'id="off-artist-{artist.pk}" type="submit" name="level" value="normal" aria-pressed="true"'
    assert button in page
    client.post(reverse("feedback:adjust"), {**sent, "level": "normal"})
    assert not TasteAdjustment.objects.exists()


def test_a_feature_can_be_turned_up(tracks: list[Track], user: User, client: Client) -> None:
    like(user, *tracks[:4])
    client.post(reverse("feedback:adjust"), {"kind": "feature", "id": "tempo", "level": "up"})
    taste = taste_of(user)
    assert taste is not None
    assert {line.name: line.level for line in taste.sound}["tempo"] == "up"


def test_blocks_and_exclusions_are_listed_with_the_way_back(tracks: list[Track], user: User, client: Client) -> None:
    preference_services.block(user=user, target=Genre.objects.get(name="techno"))
    preference_services.block(user=make_user("other"), target=Genre.objects.get(name="folk"))
    preference_services.exclude(user=user, target=tracks[0])
    page = client.get("/taste/").content.decode()
    assert page.count("Unblock</button>") == 1
    assert page.count("Include again</button>") == 1
    assert "techno" in page


def test_a_period_is_left_out(user: User, client: Client) -> None:
    sent = {"since": "2026-01-01T20:00", "until": "2026-01-02T04:00", "next": "/taste/"}
    assert (
        "That period no longer counts towards your taste."
        in client.post(reverse("feedback:exclude_period"), sent, follow=True).content.decode()
    )
    assert TasteExclusion.objects.get().user == user
    wrong = {**sent, "until": "2026-01-01T19:00"}
    page = client.post(reverse("feedback:exclude_period"), wrong, follow=True).content.decode()
    assert "The end has to be after the start." in page
    assert TasteExclusion.objects.count() == 1


def test_the_private_session_is_seen_in_the_header_of_every_page(user: User, client: Client) -> None:
    assert "private-chip" in client.get("/songs/").content.decode()
    assert "Private session. Nothing counts" not in client.get("/songs/").content.decode()
    client.post(reverse("feedback:private_session"), {"on": "1"})
    assert "Private session. Nothing counts" in client.get("/songs/").content.decode()
    client.post(reverse("feedback:private_session"), {"on": "0"})
    assert "Private session. Nothing counts" not in client.get("/songs/").content.decode()


def test_without_a_model_or_feedback_the_page_says_what_to_do(user: User, client: Client) -> None:
    assert "Not ready yet" in client.get("/taste/").content.decode()
    make_catalogue()
    call_command("retrain", verbosity=0)
    assert "Nothing here yet" in client.get("/taste/").content.decode()
    client.logout()
    assert reverse("account_login") in client.get("/taste/").url  # type: ignore[attr-defined]


def test_the_number_of_queries_does_not_grow(
    tracks: list[Track], user: User, client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    like(user, tracks[0])
    client.get("/taste/")
    with django_assert_max_num_queries(19):
        client.get("/taste/")
    like(user, *tracks[4:30:4])
    for track in tracks[1:4]:
        preference_services.block(user=user, target=track)
        preference_services.exclude(user=user, target=track)
    with django_assert_max_num_queries(21):
        client.get("/taste/")
