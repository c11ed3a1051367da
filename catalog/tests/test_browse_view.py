"""The song list."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import User
from catalog.models import Genre
from catalog.tests.factories import make_track

pytestmark = pytest.mark.django_db
URL = "/songs/"


def titles(response: Any) -> list[str]:
    return re.findall(r'class="track-title"[^>]*>([^<]*)<', response.content.decode())


def test_address() -> None:
    assert reverse("catalog:browse") == URL


def test_orders(client: Client) -> None:
    make_track("Beta", popularity=10)
    make_track("Álpha", popularity=None)
    make_track("Gamma", popularity=90)
    make_track("Hidden", popularity=99, is_active=False)
    assert titles(client.get(URL)) == ["Gamma", "Beta", "Álpha"]
    assert titles(client.get(URL, {"sort": "title"})) == ["Álpha", "Beta", "Gamma"]
    assert titles(client.get(URL, {"sort": "newest"})) == ["Gamma", "Álpha", "Beta"]


def test_genre_filter(client: Client) -> None:
    make_track("Rock 1", genres=["rock"], popularity=1)
    make_track("Rock 2", genres=["rock", "pop"], popularity=2)
    make_track("Pop", genres=["pop"])
    make_track("Hidden", genres=["rock"], is_active=False)
    rock = Genre.objects.get(name="rock")
    response = client.get(URL, {"genre": rock.pk})
    assert titles(response) == ["Rock 2", "Rock 1"]
    assert f'<option value="{rock.pk}" selected>rock</option>' in response.content.decode()


def test_pages_of_thirty(client: Client) -> None:
    for number in range(31):
        make_track(f"Song {number}", popularity=number)
    first, second = client.get(URL), client.get(URL, {"page": 2})
    assert (len(titles(first)), titles(second)) == (30, ["Song 0"])
    assert "?page=2" in first.content.decode()


@pytest.mark.parametrize(
    "query",
    [
        "page=abc", "page=-3", "page=0", "page=99999999999999999999", "page=" + "9" * 5000, "page=1.5", "sort=x",
        "genre=zzz", "genre=99999999999999999999", "genre=-1", "genre=%00", "sort=%00", "page=%00", "genre=1&genre=2",
    ],
)  # fmt: skip
def test_bad_parameters_fall_back(client: Client, query: str) -> None:
    make_track("Only")
    response = client.get(f"{URL}?{query}")
    assert (response.status_code, titles(response)) == (200, ["Only"])


@pytest.mark.parametrize("count", [1, 3])
def test_constant_number_of_queries(client: Client, count: int, django_assert_num_queries: Any) -> None:
    for number in range(count):
        make_track(f"Song {number}", f"Artist {number}", f"Guest {number}", genres=[f"genre {number}"])
    # count, ids, songs, credits with artists, genres to choose from
    with django_assert_num_queries(6):
        response = client.get(URL)
    assert len(titles(response)) == count


def test_htmx_gets_the_list_alone_and_going_back_the_page(client: Client) -> None:
    make_track("Only")
    fragment = client.get(URL, headers={"HX-Request": "true", "HX-Target": "results"})
    assert titles(fragment) == ["Only"]
    assert "<html" not in fragment.content.decode()
    assert "HX-Request" in fragment["Vary"]
    restored = client.get(URL, headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})
    assert "<html" in restored.content.decode()


def test_only_get(client: Client) -> None:
    assert client.post(URL).status_code == 405


def test_markup_in_names_is_escaped(client: Client) -> None:
    make_track("<b>Bold</b>", "<i>Artist</i>", genres=["<u>"])
    page = client.get(URL).content.decode()
    assert "&lt;b&gt;Bold" in page
    assert "<b>Bold" not in page
    assert "<i>Artist" not in page
    assert "<u>" not in page


@pytest.mark.parametrize("url", [URL, "/genres/", "/search/?q=love"])
def test_empty_catalogue_says_what_to_do(client: Client, url: str) -> None:
    page = client.get(url).content.decode()
    assert "There are no songs on this site yet." in page
    assert "import_tracks" not in page
    operator = User.objects.create_user("op", "op@example.org", is_staff=True)
    operator.user_permissions.set(Permission.objects.filter(codename__in=["add_track", "change_track"]))
    client.force_login(operator)
    page = client.get(url).content.decode()
    assert "manage.py import_tracks FILE.csv" in page
    assert 'href="/admin/catalog/track/import/"' in page


def test_no_inline_style_or_script(client: Client) -> None:
    song = make_track("Only", genres=["rock"], features={"energy": 0.5}, features_origin="csv")
    artist, genre = song.credits.get().artist_id, song.genres.get().pk
    for url in (URL, "/search/?q=only", f"/songs/{song.pk}/", f"/artists/{artist}/", "/genres/", f"/genres/{genre}/"):
        page = client.get(url).content.decode()
        assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?![^>]*\ssrc=)", page), url
