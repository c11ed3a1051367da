"""Where a new listener starts."""

import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from catalog.models import Artist, Genre, Track
from feedback.onboarding import selectors as start
from feedback.onboarding.selectors import MAX_RESULTS, find, genre_tiles
from feedback.preferences import services
from feedback.preferences.models import ArtistPreference, GenrePreference
from feedback.ratings.models import Rating
from feedback.tests.factories import GenreFactory, make_track

GENRES, ARTISTS, ADVENTURE = "/start/", "/start/artists/", "/start/adventure/"
HTMX = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{ARTISTS}"}


@pytest.fixture
def songs(db: None) -> None:
    make_track("Hit", artist="Famous", popularity=90, genres=["pop"])
    make_track("Hit two", artist="Famous", popularity=80, genres=["pop", "rock"])
    make_track("Lesser", artist="Rising", popularity=50, genres=["pop"])
    make_track("Unknown", artist="Newcomer", genres=["rock"])
    make_track("Hidden", artist="Nobody", popularity=100, genres=["pop", "secret"], is_active=False)


def genre_id(name: str) -> int:
    return Genre.objects.get(name=name).pk


def artist_id(name: str) -> int:
    return Artist.objects.get(name=name).pk


def picks(user: User) -> tuple[list[str], list[str], list[tuple[str, int]]]:
    """Return the listener's genres, artists and rated songs by name."""
    return (
        sorted(GenrePreference.objects.filter(user=user).values_list("genre__name", flat=True)),
        sorted(ArtistPreference.objects.filter(user=user).values_list("artist__name", flat=True)),
        sorted(Rating.objects.filter(user=user).values_list("track__title", "value")),
    )


def test_tiles_have_the_best_known_genres_first_and_name_artists(songs: None) -> None:
    GenreFactory(name="empty")
    for number in range(3):
        make_track(f"Obscure {number}", artist="Nobody knows", genres=["noise"])
    assert [(tile.genre.name, list(tile.artists)) for tile in genre_tiles()] == [
        ("pop", ["Famous", "Rising"]),
        ("rock", ["Famous", "Newcomer"]),
        ("noise", ["Nobody knows"]),
    ]


def test_tiles_are_few(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "MAX_TILES", 2)
    for number in range(3):
        make_track(f"Song {number}", genres=[f"genre {number}"])
    assert [tile.genre.name for tile in genre_tiles()] == ["genre 0", "genre 1"]


def test_a_new_genre_shows_at_once(songs: None) -> None:
    genre_tiles()
    make_track("Yodel", artist="Franz", genres=["yodeling"])
    assert [tile.genre.name for tile in genre_tiles()] == ["pop", "rock", "yodeling"]


# MariaDB's index of words knows committed rows only.
@pytest.mark.django_db(transaction=True)
def test_artists_and_songs_are_found_by_the_sites_search(songs: None) -> None:
    make_track("Halo", artist="Beyoncé", popularity=70)
    artists, matches = find("BEYON")
    assert ([artist.name for artist in artists], [song.title for song in matches]) == (["Beyoncé"], ["Halo"])
    assert [song.title for song in find("famous hit")[1]] == ["Hit", "Hit two"]
    assert find("hidden") == ([], [])
    assert find("  ") == ([], [])


# MariaDB's index of words knows committed rows only.
@pytest.mark.django_db(transaction=True)
def test_results_are_few(db: None) -> None:
    for number in range(MAX_RESULTS + 3):
        make_track(f"Same {number}", artist=f"Same band {number}")
    artists, songs = find("same")
    assert len(artists) == len(songs) == MAX_RESULTS


@pytest.mark.parametrize("url", [GENRES, ARTISTS, ADVENTURE])
def test_anonymous_visitors_log_in(client: Client, db: None, url: str) -> None:
    assert client.get(url)["Location"] == f"/accounts/login/?next={url}"
    assert client.post(url)["Location"].startswith("/accounts/login/")


def test_each_step_keeps_what_it_asked_and_leads_to_the_next(listener: Client, user: User, songs: None) -> None:
    song = Track.objects.get(title="Lesser")

    answer = listener.post(GENRES, {"genre": [genre_id("pop"), genre_id("rock")]})
    assert (answer.status_code, answer["Location"]) == (302, ARTISTS)
    assert picks(user) == (["pop", "rock"], [], [])

    answer = listener.post(ARTISTS, {"artist": [artist_id("Famous")], "track": [song.pk], "action": "save"})
    assert (answer.status_code, answer["Location"]) == (302, ADVENTURE)
    assert picks(user) == (["pop", "rock"], ["Famous"], [("Lesser", 1)])

    answer = listener.post(ADVENTURE, {"adventure": "0.75"})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    user.refresh_from_db()
    assert user.adventure == 0.75
    assert picks(user) == (["pop", "rock"], ["Famous"], [("Lesser", 1)])


@pytest.mark.parametrize(("step", "following"), [(GENRES, ARTISTS), (ARTISTS, ADVENTURE)])
def test_steps_can_be_skipped(listener: Client, songs: None, step: str, following: str) -> None:
    assert f'<a class="btn btn-outline-secondary" href="{following}">Skip</a>' in listener.get(step).content.decode()


def test_genres_are_offered_with_artists(listener: Client, songs: None) -> None:
    html = listener.get(GENRES).content.decode()
    assert html.count('name="genre"') == 2
    assert "Famous, Rising" in html
    assert 'aria-label="Step 1 of 3"' in html


def test_artists_of_the_genres_are_suggested(listener: Client, user: User, songs: None) -> None:
    make_track("Yodel", artist="Franz", popularity=99, genres=["yodeling"])

    def suggested() -> list[str]:
        return [artist.name for artist in listener.get(ARTISTS).context["suggested"]]

    assert suggested() == ["Famous", "Franz", "Rising", "Newcomer"]
    services.set_genres(user=user, genres=[Genre.objects.get(name="rock"), Genre.objects.get(name="pop")])
    assert suggested() == ["Famous", "Rising", "Newcomer"]
    services.set_artists(user=user, artists=[Artist.objects.get(name="Famous")])
    assert suggested() == ["Rising", "Newcomer"]


def test_spotify_is_offered_where_there_is_an_app(listener: Client, settings: Any) -> None:
    assert "Connect Spotify" not in listener.get(ADVENTURE).content.decode()
    settings.SPOTIFY_CLIENT_ID = "an-app"
    assert "Connect Spotify" in listener.get(ADVENTURE).content.decode()


@pytest.mark.parametrize("value", ["", "x", "1.01", "-0.1", "nan"])
def test_a_dial_beyond_its_ends_is_refused(listener: Client, user: User, value: str) -> None:
    before = user.adventure
    answer = listener.post(ADVENTURE, {"adventure": value})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    user.refresh_from_db()
    assert user.adventure == before


def test_empty_catalogue_is_said(listener: Client) -> None:
    assert "There are no songs here yet" in listener.get(GENRES).content.decode()
    assert listener.get(ARTISTS).status_code == 200


def test_later_changes_replace_genres_and_artists_and_keep_ratings(listener: Client, user: User, songs: None) -> None:
    famous = Artist.objects.get(name="Famous")
    services.set_preferences(user=user, genres=[Genre.objects.get(name="pop")], artists=[famous])
    Rating.objects.create(user=user, track=Track.objects.get(title="Lesser"), value=-1)
    for url in (GENRES, ARTISTS):
        html = listener.get(url).content.decode()
        assert html.partition('id="start-form"')[2].partition("</form>")[0].count(" checked") == 1
    listener.post(GENRES, {"genre": [genre_id("rock")]})
    assert picks(user) == (["rock"], ["Famous"], [("Lesser", -1)])
    listener.post(ARTISTS, {"action": "save"})
    assert picks(user) == (["rock"], [], [("Lesser", -1)])


# MariaDB's index of words knows committed rows only.
@pytest.mark.django_db(transaction=True)
def test_search_without_javascript_keeps_the_choices_and_saves_nothing(
    listener: Client, user: User, songs: None
) -> None:
    song = Track.objects.get(title="Lesser")
    form = {"artist": [artist_id("Rising")], "track": [song.pk]}
    answer = listener.post(ARTISTS, {**form, "q": "famous", "action": "search"})
    html = answer.content.decode()
    assert answer.status_code == 200
    assert "<html" in html
    for name, value in (("artist", artist_id("Rising")), ("track", song.pk)):
        assert f'name="{name}" value="{value}" checked' in html
    assert f'name="artist" value="{artist_id("Famous")}">' in html
    assert [matches.title for matches in answer.context["found_songs"]] == ["Hit", "Hit two"]
    assert answer.context["suggested"] == []
    assert 'name="q" value="famous"' in html
    assert picks(user) == ([], [], [])


# MariaDB's index of words knows committed rows only.
@pytest.mark.django_db(transaction=True)
def test_search_with_htmx_gets_the_results_alone(listener: Client, songs: None) -> None:
    form = {"artist": [artist_id("Famous")], "q": "famous", "action": "search"}
    html = listener.post(ARTISTS, form, headers=HTMX).content.decode()
    assert "<html" not in html
    assert html.count('name="artist"') == 1, "what is picked is not offered again"
    assert html.count('name="track"') == 2
    nothing = listener.post(ARTISTS, {"q": "zzz", "action": "search"}, headers=HTMX).content.decode()
    assert "No more results" in nothing


@pytest.mark.parametrize("value", ["x", "-1", "1.5", "²", str(2**63), "9" * 30])
@pytest.mark.parametrize(("url", "name"), [(GENRES, "genre"), (ARTISTS, "artist"), (ARTISTS, "track")])
def test_malformed_picks_are_said_and_nothing_is_saved(
    listener: Client, user: User, songs: None, url: str, name: str, value: str
) -> None:
    answer = listener.post(url, {"artist": [artist_id("Famous")], name: [value], "action": "save"})
    assert answer.status_code == 422
    assert "Choose from the list." in answer.content.decode()
    assert picks(user) == ([], [], [])


def test_picks_that_went_meanwhile_are_left_out(listener: Client, user: User, songs: None) -> None:
    hidden = make_track("Hidden too", is_active=False)
    assert listener.post(GENRES, {"genre": [genre_id("pop"), 999_999]}).status_code == 302
    assert listener.post(ARTISTS, {"track": [hidden.pk], "action": "save"}).status_code == 302
    assert picks(user) == (["pop"], [], [])


def test_too_many_picks_are_refused(listener: Client, user: User, songs: None) -> None:
    answer = listener.post(ARTISTS, {"track": list(range(1, 600)), "action": "save"})
    assert answer.status_code == 422
    assert "Choose up to 500." in answer.content.decode()


@pytest.mark.parametrize(("url", "queries"), [(GENRES, 14), (ARTISTS, 7)])
def test_query_count_does_not_grow(
    listener: Client, songs: None, django_assert_num_queries: DjangoAssertNumQueries, url: str, queries: int
) -> None:
    for number in (1, 3):
        for added in range(number):
            make_track(f"Song {number} {added}", artist=f"Band {number} {added}", genres=[f"genre {number} {added}"])
        with django_assert_num_queries(queries):
            listener.get(url)


@pytest.mark.parametrize("url", [GENRES, ARTISTS, ADVENTURE])
def test_csrf_is_enforced(user: User, url: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    assert client.post(url, {"action": "save"}).status_code == 403


@pytest.mark.parametrize("name", ["Various Artists", "Verschiedene Interpreten", "群星", "V.A. (2019)"])
def test_what_stands_for_several_artists_is_not_suggested_and_cannot_be_liked(
    listener: Client, user: User, songs: None, name: str
) -> None:
    make_track("Sampled", artist=name, popularity=99, genres=["pop"])
    assert [artist.name for artist in listener.get(ARTISTS).context["suggested"]] == ["Famous", "Rising", "Newcomer"]
    assert [artist.name for artist in find(name)[0]] == []
    answer = listener.post(ARTISTS, {"artist": [artist_id(name), artist_id("Famous")], "action": "save"})
    assert answer.status_code == 422
    assert answer.context["form"].errors["artist"] == [
        f"“{name}” stands for many artists, so it says nothing about your taste. Choose the artists themselves."
    ]
    assert picks(user) == ([], [], [])


def test_a_search_among_genres_keeps_what_is_ticked(songs: None, client: Client, user: User) -> None:
    make_track("Slow jam", genres=["r-n-b"])
    client.force_login(user)
    sent = {"genre": genre_id("rock"), "q": "r&B", "action": "search"}
    for headers, template in (({}, "feedback/start.html"), (HTMX, "feedback/_start_genres.html")):
        answer = client.post(GENRES, sent, headers=headers)
        assert (answer.status_code, answer.templates[0].name) == (200, template)
        html = answer.content.decode()
        shown = re.findall(r'name="genre" value="(\d+)"( checked)?', html)
        assert shown == [(str(genre_id("rock")), " checked"), (str(genre_id("r-n-b")), "")]
    assert not GenrePreference.objects.exists()
    nothing = client.post(GENRES, {"q": "polka", "action": "search"}).content.decode()
    assert "No genre matches “polka”." in nothing
    client.post(GENRES, {"genre": genre_id("rock"), "q": "r&B", "action": "save"})
    assert picks(user)[0] == ["rock"]


def test_each_genre_has_a_picture_of_its_own(songs: None) -> None:
    pictures = [tile.track.title for tile in genre_tiles() if tile.track]
    # The best known song of both is one.
    assert sorted(pictures) == ["Hit", "Hit two"]


def test_whoever_has_told_nothing_is_offered_the_start(songs: None, client: Client, user: User) -> None:
    client.force_login(user)
    pages = ("/ratings/", "/taste/")
    shown = [b"Choose three genres" in client.get(page).content for page in pages]
    services.set_genres(user=user, genres=[Genre.objects.get(name="rock")])
    after = [b"Choose three genres" in client.get(page).content for page in pages]
    assert (shown, after) == ([True, True], [False, False])
