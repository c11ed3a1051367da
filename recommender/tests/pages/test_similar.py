""" "Similar songs" of a song."""

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from catalog.models import Track
from recommender.tests.builders import make_catalogue, make_track

pytestmark = pytest.mark.django_db


def titles(client: Client, track: Track) -> list[str]:
    answer = client.get(reverse("recommender:similar", args=[track.pk]), headers={"HX-Request": "true"})
    return [matches.title for matches in answer.context["tracks"]]


def test_the_same_artist_and_sound_come_first(client: Client) -> None:
    tracks = make_catalogue()
    call_command("retrain", verbosity=0)
    results = titles(client, tracks[0])
    assert set(results[:2]) <= {"Song 0.1", "Song 0.2", "Song 0.3"}
    assert {title.split(".")[0] for title in results} <= {f"Song {artist}" for artist in range(5)}
    assert "Song 0.0" not in results


def test_hidden_songs_are_not_among_them(client: Client) -> None:
    tracks = make_catalogue()
    call_command("retrain", verbosity=0)
    Track.objects.filter(title="Song 0.3").update(is_active=False)
    assert "Song 0.3" not in titles(client, tracks[0])


def test_a_song_newer_than_the_model_says_so(client: Client) -> None:
    make_catalogue()
    call_command("retrain", verbosity=0)
    page = client.get(reverse("recommender:similar", args=[make_track("New").pk]))
    assert "We don&#x27;t know this song well enough yet." in page.content.decode()


def test_before_the_first_retrain_it_says_so(client: Client) -> None:
    page = client.get(reverse("recommender:similar", args=[make_track("New").pk]))
    assert page.status_code == 200
    assert "We don&#x27;t know this song well enough yet." in page.content.decode()


def test_a_hidden_or_unknown_song_is_not_found(client: Client) -> None:
    hidden = make_track("Hidden", is_active=False)
    assert client.get(reverse("recommender:similar", args=[hidden.pk])).status_code == 404
    assert client.get(reverse("recommender:similar", args=[10**9])).status_code == 404
