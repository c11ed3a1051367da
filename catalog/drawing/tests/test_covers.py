"""Covers: the one host they come from, and the drawn picture below them."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client, override_settings

from catalog.drawing.covers import cover, cover_svg
from catalog.tests.factories import make_track

pytestmark = pytest.mark.django_db
COVER = "https://i.scdn.co/image/ab67616d0000"


def test_a_song_without_one_is_drawn() -> None:
    track = make_track()

    assert cover(track) == cover_svg(track)


def test_the_drawn_picture_lies_below_the_cover() -> None:
    track = make_track(cover_url=COVER)

    assert cover(track) == (
        f'<span class="track-cover has-cover">{cover_svg(track)}'
        f'<img src="{COVER}" alt="" loading="lazy" referrerpolicy="no-referrer"></span>'
    )


@override_settings(SPOTIFY_PLAYER=False)
def test_where_nothing_is_asked_of_spotify_covers_are_not_either(client: Client) -> None:
    track = make_track(cover_url=COVER)

    assert cover(track) == cover_svg(track)
    assert COVER not in client.get(track.get_absolute_url()).content.decode()


@pytest.mark.parametrize(
    "url", ["https://example.org/a.png", "http://i.scdn.co/image/a", "https://i.scdn.co.example.org/a"]
)
def test_covers_from_elsewhere_are_refused(url: str) -> None:
    track = make_track()
    track.cover_url = url
    with pytest.raises(ValidationError, match="i\\.scdn\\.co"):
        track.full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        track.save(update_fields=["cover_url"])


def test_the_api_names_it(client: Client) -> None:
    track = make_track(cover_url=COVER)

    assert client.get(f"/api/songs/{track.pk}").json()["cover_url"] == COVER
