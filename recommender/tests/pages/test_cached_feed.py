"""The page "For you" stays as it was left: over reloads, answers and undoing, until something changes it."""

from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts.models import User
from catalog.models import Artist, Track
from feedback.plays.models import Play
from feedback.preferences.services import block, like_artist
from feedback.ratings.models import Rating
from feedback.ratings.services import rate
from recommender.models import Recommendation
from recommender.tests.builders import make_catalogue, make_user

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
Shown = dict[str, list[int]]


@pytest.fixture
def tracks() -> list[Track]:
    made = make_catalogue()
    call_command("retrain", verbosity=0)
    return made


@pytest.fixture
def user(client: Client, tracks: list[Track]) -> User:
    made = make_user(adventure=1.0)  # so that two pages made anew differ
    client.force_login(made)
    for track in tracks[:3]:
        rate(user=made, track=track, value=Rating.Value.LIKE)
    return made


def shown(client: Client, **headers: str) -> Shown:
    sections = client.get("/", headers=headers).context["sections"]
    return {section.name: [item.track.pk for item in section.items] for section in sections}


def ids(page: Shown) -> set[int]:
    return {pk for section in page.values() for pk in section}


def test_the_page_stays_over_reloads_and_is_recorded_once(user: User, client: Client) -> None:
    first = shown(client)
    recorded = Recommendation.objects.count()
    html = client.get("/").content
    assert [shown(client), shown(client, **HTMX)] == [first, first]
    assert client.get("/").content.count(b"track-reason") == html.count(b"track-reason") > 0
    assert Recommendation.objects.count() == recorded


def test_another_browser_shows_the_same_and_another_listener_does_not(user: User, client: Client) -> None:
    first = shown(client)
    second = Client()
    second.force_login(user)
    assert shown(second) == first
    second.force_login(make_user("other", adventure=1.0))
    assert shown(second) != first


def test_an_answer_replaces_its_card_alone_and_undo_brings_it_back(user: User, client: Client) -> None:
    first = shown(client)
    pk = first["made"][2]
    url = reverse("recommender:rate_in_section", args=["made", pk])
    client.post(url, {"value": "1"}, headers=HTMX)
    second = shown(client)
    assert second["made"][:2] + second["made"][3:] == first["made"][:2] + first["made"][3:]
    assert second["made"][2] not in ids(first)
    assert {name: second[name] for name in second if name != "made"} == {
        name: first[name] for name in first if name != "made"
    }
    client.post(url, {"value": "0", "undo": "1"}, headers=HTMX)
    assert shown(client) == first
    assert not Rating.objects.filter(user=user, track_id=pk).exists()


def test_new_songs_replaces_all_that_was_looked_at(user: User, client: Client) -> None:
    first = shown(client)
    answer = client.post(reverse("recommender:new_songs"), headers=HTMX)
    second = {section.name: [item.track.pk for item in section.items] for section in answer.context["sections"]}
    assert ids(second)
    assert ids(first).isdisjoint(ids(second))
    assert shown(client) == second
    assert client.post(reverse("recommender:new_songs"))["Location"] == "/"


def test_a_catalogue_too_small_for_new_songs_shows_known_ones(user: User, client: Client, tracks: list[Track]) -> None:
    first = shown(client)
    rest = [track.pk for track in tracks if track.pk not in ids(first)]
    Track.objects.filter(pk__in=rest).update(is_active=False)
    client.post(reverse("recommender:new_songs"))
    again = ids(shown(client))
    assert len(again) >= len(ids(first)) // 2
    assert again <= ids(first)


def test_what_was_hidden_or_rated_behind_its_back_is_gone_and_the_rest_stays(user: User, client: Client) -> None:
    first = shown(client)
    rated, hidden = first["made"][0], first["made"][1]
    Rating.objects.create(user=user, track_id=rated, value=Rating.Value.DISLIKE)
    Track.objects.filter(pk=hidden).update(is_active=False)
    assert shown(client)["made"] == first["made"][2:]


def change_of(name: str, user: User) -> Any:
    artist = Artist.objects.get(name="Artist 9")
    return {
        "block": lambda: block(user=user, target=artist),
        "artist": lambda: like_artist(user=user, artist=artist, is_liked=True),
        "like": lambda: rate(user=user, track=Track.objects.get(title="Song 9.3"), value=Rating.Value.LIKE),
        "dial": lambda: User.objects.filter(pk=user.pk).update(adventure=0.0),
        "time": cache.clear,
    }[name]


@pytest.mark.parametrize("name", ["block", "artist", "like", "dial", "time"])
def test_a_change_of_the_taste_makes_the_page_anew(user: User, client: Client, name: str) -> None:
    shown(client)
    recorded = Recommendation.objects.count()
    change_of(name, user)()
    shown(client)
    assert Recommendation.objects.count() > recorded


def test_the_page_is_read_back_in_few_queries(user: User, client: Client, django_assert_max_num_queries: Any) -> None:
    client.get("/")
    # session, user, record, songs with artists (3), ratings, names (3), the anchor, plays, likes, recordings,
    # invitations to blends, blends
    with django_assert_max_num_queries(18):
        client.get("/")


def test_the_counts_are_those_of_plays_and_likes(user: User, client: Client, tracks: list[Track]) -> None:
    assert client.get("/").context["intro"] == "Learned from 3 likes."
    Play.objects.bulk_create([Play(user=user, track=tracks[8], outcome=Play.Outcome.COMPLETED)] * 1)
    assert client.get("/").context["intro"] == "Learned from 1 play and 3 likes."


def test_who_has_told_nothing_is_offered_to_choose_genres(user: User, client: Client) -> None:
    assert "Choose three genres" not in client.get("/").content.decode()
    client.force_login(make_user("newcomer"))
    html = client.get("/").content.decode()
    assert "Choose three genres" in html
    assert "Popular to start with" in html
    assert "Made for you" not in html
