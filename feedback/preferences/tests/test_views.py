"""Buttons by which a listener says which artists they like."""

import pytest
from django.test import Client

from accounts.models import User
from catalog.models import Artist
from catalog.tests.factories import make_track
from feedback.preferences.models import ArtistPreference

pytestmark = pytest.mark.django_db


@pytest.fixture
def artist() -> Artist:
    make_track("A", "One")
    return Artist.objects.get(name="One")


def test_an_artist_is_liked_and_no_longer(listener: Client, user: User, artist: Artist) -> None:
    address = artist.get_absolute_url()
    ArtistPreference.objects.create(user=user, artist=Artist.objects.create(name="Other"))
    answer = listener.post(f"/artists/{artist.pk}/follow/", {"on": "1", "next": address}, follow=True)
    html = answer.content.decode()
    assert answer.redirect_chain == [(address, 302)]
    assert "You like One. Your recommendations will follow." in html
    assert 'name="on" value="0" aria-pressed="true"' in html
    assert set(ArtistPreference.objects.values_list("artist__name", flat=True)) == {"One", "Other"}
    listener.post(f"/artists/{artist.pk}/follow/", {"on": "1"})
    listener.post(f"/artists/{artist.pk}/follow/", {"on": "0"})
    assert list(ArtistPreference.objects.values_list("artist__name", flat=True)) == ["Other"]
    assert 'name="on" value="1" aria-pressed="false"' in listener.get(address).content.decode()


def test_a_visitor_is_sent_to_log_in_and_an_unknown_artist_is_not_found(client: Client, artist: Artist) -> None:
    assert "/accounts/login/" in client.post(f"/artists/{artist.pk}/follow/", {"on": "1"})["Location"]
    assert not ArtistPreference.objects.exists()
    assert "/follow/" not in client.get(artist.get_absolute_url()).content.decode()


def test_an_artist_that_is_not_there(listener: Client) -> None:
    assert listener.post("/artists/77/follow/", {"on": "1"}).status_code == 404
