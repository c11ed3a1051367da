"""Journeys from one song to another: the way itself, and the page."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from catalog.models import Track
from feedback.preferences.services import block
from feedback.ratings.models import Rating
from feedback.ratings.services import rate
from recommender.lifecycle.training import retrain
from recommender.pages.track_path import track_path
from recommender.tests.builders import LOUD, QUIET, make_track, make_user

STEPS = 5
QUERIES = 13


@pytest.fixture
def ladder(db: None) -> list[Track]:
    """Eleven songs of eleven artists, each a little louder than the one before, and a model that knows them."""
    tracks = []
    for number in range(11):
        share = number / 10
        features = {name: QUIET[name] + share * (LOUD[name] - QUIET[name]) for name in QUIET}
        tracks.append(make_track(f"Step {number}", [f"Artist {number}"], ["folk"], features=features))
    retrain(force=True)
    return tracks


def test_the_way_leads_up_the_ladder(ladder: list[Track]) -> None:
    path = track_path(start=ladder[0], goal=ladder[10], between=STEPS, user=None)
    assert path is not None
    places = [ladder.index(track) for track in path]
    assert places[0] == 0
    assert places[-1] == 10
    # Songs of the quiet half sound alike to the scaled features, and those of the loud half: halves are not mixed.
    assert [position > 5 for position in places] == sorted(position > 5 for position in places)
    assert len(set(places)) == STEPS + 2


def test_the_other_way_leads_down(ladder: list[Track]) -> None:
    path = track_path(start=ladder[10], goal=ladder[0], between=STEPS, user=None)
    assert path is not None
    places = [ladder.index(track) for track in path]
    assert [position < 5 for position in places] == sorted(position < 5 for position in places)


def test_hidden_songs_are_not_on_the_way(ladder: list[Track]) -> None:
    Track.objects.filter(pk__in=[ladder[3].pk, ladder[5].pk]).update(is_active=False)
    path = track_path(start=ladder[0], goal=ladder[10], between=9, user=None)
    assert path is not None
    assert {track.title for track in ladder} - {track.title for track in path} == {"Step 3", "Step 5"}


def test_what_the_listener_blocked_is_not_on_the_way(ladder: list[Track]) -> None:
    user = make_user()
    block(user=user, target=ladder[4])
    block(user=user, target=ladder[6].artists.get())
    path = track_path(start=ladder[0], goal=ladder[10], between=9, user=user)
    assert path is not None
    assert {track.title for track in ladder} - {track.title for track in path} == {"Step 4", "Step 6"}


def test_explicit_songs_are_left_out_for_whom_does_not_want_them(ladder: list[Track]) -> None:
    Track.objects.filter(pk=ladder[4].pk).update(explicit=True)
    retrain(force=True)
    path = track_path(start=ladder[0], goal=ladder[10], between=9, user=make_user(explicit_allowed=False))
    assert path is not None
    assert ladder[4] not in path
    assert len(path) == 10


def test_a_song_the_model_does_not_know_has_no_way(ladder: list[Track]) -> None:
    new = make_track("New", ["Nobody"])
    assert track_path(start=ladder[0], goal=new, between=3, user=None) is None


@pytest.mark.django_db(transaction=True)  # a full-text index sees what is committed
def test_the_page_asks_for_one_end_after_the_other(client: Client, ladder: list[Track]) -> None:
    page = reverse("recommender:journey")
    text = client.get(page, {"q": "step 2"}).content.decode()
    assert f'href="?start={ladder[2].pk}"' in text
    text = client.get(page, {"start": str(ladder[2].pk), "q": "step 9"}).content.decode()
    assert f'href="?start={ladder[2].pk}&amp;goal={ladder[9].pk}"' in text
    answer = client.get(page, {"start": ladder[2].pk, "goal": ladder[9].pk, "count": 5})
    assert [track.title for track in answer.context["tracks"]][:: len(answer.context["tracks"]) - 1] == [
        "Step 2",
        "Step 9",
    ]
    assert f'href="?start={ladder[9].pk}&amp;goal={ladder[2].pk}&amp;count=5"' in answer.content.decode()


def test_the_page_offers_liked_songs_else_well_known_ones(client: Client, ladder: list[Track]) -> None:
    page = reverse("recommender:journey")
    Track.objects.filter(pk=ladder[7].pk).update(popularity=99)
    offered = client.get(page).context["offered"]
    assert (offered[0], len(offered)) == (ladder[7], 11)
    user = make_user()
    rate(user=user, track=ladder[3], value=Rating.Value.LIKE)
    rate(user=user, track=ladder[5], value=Rating.Value.LIKE)
    rate(user=user, track=ladder[6], value=Rating.Value.DISLIKE)
    client.force_login(user)
    assert client.get(page).context["offered"] == [ladder[5], ladder[3]]
    answer = client.get(page, {"start": str(ladder[5].pk)})
    assert answer.context["offered"] == [ladder[3]]
    assert f'href="?start={ladder[5].pk}&amp;goal={ladder[3].pk}"' in answer.content.decode()


@pytest.mark.parametrize("query", [{"start": "x"}, {"start": "99999999999999999999"}, {"count": "7"}, {"q": "zzz\x00"}])
def test_the_page_bears_any_input(client: Client, ladder: list[Track], query: dict[str, str]) -> None:
    answer = client.get(reverse("recommender:journey"), query)
    assert answer.status_code == 200
    assert "Search for the song to start with" in answer.content.decode()


def test_the_number_of_queries_does_not_grow(
    client: Client, ladder: list[Track], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.force_login(make_user())
    page = reverse("recommender:journey")
    for count in (5, 20):
        query = {"start": str(ladder[0].pk), "goal": str(ladder[10].pk), "count": str(count)}
        client.get(page, query)
        with django_assert_num_queries(QUERIES):
            client.get(page, query)
