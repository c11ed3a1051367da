"""Pages of playlists: making, ordering, taking out and putting back, adding from a song."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import User
from catalog.models import Track
from feedback.playlists import services
from feedback.playlists import views as playlist_views
from feedback.playlists.models import Playlist
from feedback.playlists.selectors import tracks_of
from feedback.tests.factories import RatingFactory, UserFactory, make_track

URL = "/playlists/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def songs(db: None) -> list[Track]:
    return [make_track(title) for title in "ABCDE"]


@pytest.fixture
def playlist(user: User, songs: list[Track]) -> Playlist:
    return services.create_playlist(owner=user, name="Mine & <yours>", tracks=songs)


def order(playlist: Playlist) -> str:
    return "".join(track.title for track in tracks_of(playlist))


def test_anonymous_visitors_log_in(client: Client, db: None) -> None:
    assert client.get(URL)["Location"] == "/accounts/login/?next=/playlists/"


def test_making_one(listener: Client, user: User) -> None:
    assert "No playlists yet" in listener.get(URL).content.decode()
    song = make_track("First")
    answer = listener.post(URL, {"name": " A  walk ", "track": song.pk})
    made = Playlist.objects.get()
    assert (made.owner, made.name, answer["Location"]) == (user, "A walk", f"{URL}{made.pk}/")
    assert order(made) == "First"
    assert "A walk" in listener.get(URL).content.decode()


@pytest.mark.parametrize("name", ["", "   ", "x" * 101])
def test_a_bad_name_is_said_beside_the_field(listener: Client, name: str) -> None:
    answer = listener.post(URL, {"name": name})
    assert answer.status_code == 422
    assert "is-invalid" in answer.content.decode()
    assert not Playlist.objects.exists()


def test_too_many_are_refused_with_words(listener: Client, playlist: Playlist, settings: Settings) -> None:
    settings.LISTENER_MAX_PLAYLISTS = 1
    answer = listener.post(URL, {"name": "One more"})
    assert answer.status_code == 422
    assert "You already have 1 playlists, which is the limit." in answer.content.decode()


def test_the_page_shows_songs_in_order_and_escapes(listener: Client, playlist: Playlist, songs: list[Track]) -> None:
    RatingFactory(user=playlist.owner, track=songs[0])
    Track.objects.filter(title="B").update(is_active=False)
    page = listener.get(f"{URL}{playlist.pk}/")
    assert [track.title for track in page.context["tracks"]] == ["A", "C", "D", "E"]
    html = page.content.decode()
    assert "Mine &amp; &lt;yours&gt;" in html
    assert html.count('aria-pressed="true"') == 1


def test_a_playlist_is_pictured_by_its_first_shown_songs(
    listener: Client, playlist: Playlist, songs: list[Track]
) -> None:
    services.create_playlist(owner=playlist.owner, name="Empty")
    services.create_playlist(owner=playlist.owner, name="Short", tracks=songs[:2])
    Track.objects.filter(title="B").update(is_active=False)
    shown = dict(listener.get(URL).context["playlists"])
    assert {str(row): [track.recording_key for track in results] for row, results in shown.items()} == {
        "Empty": [],
        "Short": [songs[0].recording_key],
        playlist.name: [songs[index].recording_key for index in (0, 2, 3, 4)],
    }
    html = listener.get(URL).content.decode()
    assert [html.count(f"mosaic-{number}") for number in (1, 4)] == [1, 1]


def test_query_counts_do_not_grow(
    listener: Client, user: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for rows in (1, 3, 30):
        playlist = services.create_playlist(owner=user, name=f"{rows}")
        tracks = [make_track(f"{rows} {number}", genres=["pop", "rock"]) for number in range(rows)]
        services.add_tracks(playlist=playlist, tracks=tracks)
        with django_assert_num_queries(10):
            listener.get(f"{URL}{playlist.pk}/")
        with django_assert_num_queries(6):
            listener.get(URL)
        with django_assert_num_queries(4):
            listener.get(f"/songs/{tracks[0].pk}/playlists/", headers=HTMX)
        with django_assert_num_queries(5):
            listener.get(f"{URL}{playlist.pk}.jspf")


def test_pages(listener: Client, playlist: Playlist, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playlist_views, "PAGE_SIZE", 2)
    page = listener.get(f"{URL}{playlist.pk}/", {"page": "2"})
    assert [track.title for track in page.context["tracks"]] == ["C", "D"]
    assert page.context["first"] == 3
    # In place the number of the page comes along, for the address is another.
    sent = {"track": Track.objects.get(title="D").pk, "number": 5, "page": 2}
    answer = listener.post(f"{URL}{playlist.pk}/move/", sent, headers=HTMX)
    assert [track.title for track in answer.context["tracks"]] == ["C", "E"]


@pytest.mark.parametrize(("index", "expected"), [(0, "CABDE"), (2, "ACBDE"), (4, "ABDCE"), (6, "ABDEC")])
def test_moving(listener: Client, playlist: Playlist, songs: list[Track], index: int, expected: str) -> None:
    sent = {"track": songs[2].pk, "number": index, "next": "/playlists/"}
    answer = listener.post(f"{URL}{playlist.pk}/move/", sent)
    assert answer["Location"] == f"/playlists/#track-{songs[2].pk}"
    assert order(playlist) == expected


def test_moving_in_place_keeps_the_ids_by_which_the_focus_stays(
    listener: Client, playlist: Playlist, songs: list[Track]
) -> None:
    html = listener.post(
        f"{URL}{playlist.pk}/move/", {"track": songs[2].pk, "number": 1}, headers=HTMX
    ).content.decode()
    assert html.lstrip().startswith('<section id="playlist-songs"')
    assert html.index(f'id="up-{songs[2].pk}"') < html.index(f'id="up-{songs[0].pk}"')


def test_removing_and_undoing_without_javascript(listener: Client, playlist: Playlist, songs: list[Track]) -> None:
    sent = {"track": songs[1].pk, "next": f"{URL}{playlist.pk}/"}
    answer = listener.post(f"{URL}{playlist.pk}/remove/", sent)
    assert order(playlist) == "ACDE"
    page = listener.get(answer["Location"])
    assert "Removed B." in page.content.decode()
    assert "taken out" not in listener.get(answer["Location"]).content.decode(), "offered once"
    undo = {"track": songs[1].pk, "position": page.context["removed"]["position"], "next": URL}
    listener.post(f"{URL}{playlist.pk}/restore/", undo)
    assert order(playlist) == "ABCDE"


def test_removing_and_undoing_in_place(listener: Client, playlist: Playlist, songs: list[Track]) -> None:
    answer = listener.post(f"{URL}{playlist.pk}/remove/", {"track": songs[0].pk}, headers=HTMX)
    assert "Removed A." in answer.content.decode()
    undo = {"track": songs[0].pk, "position": answer.context["removed"]["position"]}
    answer = listener.post(f"{URL}{playlist.pk}/restore/", undo, headers=HTMX)
    assert [track.title for track in answer.context["tracks"]] == list("ABCDE")


def test_renaming_and_deleting(listener: Client, playlist: Playlist) -> None:
    assert listener.post(f"{URL}{playlist.pk}/rename/", {"name": "Walk"})["Location"] == f"{URL}{playlist.pk}/"
    playlist.refresh_from_db()
    assert playlist.name == "Walk"
    answer = listener.post(f"{URL}{playlist.pk}/rename/", {"name": " "}, follow=True)
    assert "Give the playlist a name" in answer.content.decode()
    answer = listener.post(f"{URL}{playlist.pk}/delete/", follow=True)
    assert "Deleted the playlist Walk." in answer.content.decode()
    assert not Playlist.objects.exists()
    assert Track.objects.count() == 5


def test_from_a_song_without_javascript(listener: Client, playlist: Playlist) -> None:
    song = make_track("Z")
    address = f"/songs/{song.pk}/playlists/"
    assert "Add Z to a playlist" in listener.get(address).content.decode()
    answer = listener.post(address, {"playlist": playlist.pk, "keep": "1", "next": "/songs/"}, follow=True)
    assert "Added to Mine &amp; &lt;yours&gt;." in answer.content.decode()
    assert order(playlist) == "ABCDEZ"
    listener.post(address, {"playlist": playlist.pk, "keep": "0"})
    assert order(playlist) == "ABCDE"
    listener.post(address, {"name": "New"})
    assert order(Playlist.objects.get(name="New")) == "Z"


def test_from_a_song_in_the_sheet(listener: Client, playlist: Playlist, songs: list[Track]) -> None:
    address = f"/songs/{songs[0].pk}/playlists/"
    html = listener.get(address, headers=HTMX).content.decode()
    assert 'aria-pressed="true"' in html
    assert "<html" not in html
    html = listener.post(address, {"playlist": playlist.pk, "keep": "0"}, headers=HTMX).content.decode()
    assert 'aria-pressed="false"' in html
    assert "Removed from Mine &amp; &lt;yours&gt;." in html
    assert order(playlist) == "BCDE"


def test_a_full_playlist_says_so(listener: Client, playlist: Playlist, settings: Settings) -> None:
    settings.LISTENER_MAX_PLAYLIST_SONGS = 5
    address = f"/songs/{make_track('Z').pk}/playlists/"
    html = listener.post(address, {"playlist": playlist.pk, "keep": "1"}, headers=HTMX).content.decode()
    assert "A playlist holds up to 5 songs." in html
    assert order(playlist) == "ABCDE"


@pytest.mark.parametrize(
    ("part", "sent"),
    [
        ("move/", {"track": "x", "number": 1}), ("move/", {"number": 1}), ("move/", {"track": "{a}", "number": "x"}),
        ("move/", {"track": "{a}", "number": -1}), ("move/", {"track": str(2**70), "number": 1}),
        ("remove/", {}), ("restore/", {"track": "{a}"}), ("restore/", {"track": "{a}", "position": 2**40}),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(
    listener: Client, playlist: Playlist, songs: list[Track], part: str, sent: dict[str, str]
) -> None:
    filled = {name: str(value).format(a=songs[0].pk) for name, value in sent.items()}
    assert listener.post(f"{URL}{playlist.pk}/{part}", filled).status_code == 400
    assert order(playlist) == "ABCDE"


def test_what_the_sheet_does_not_know_is_refused(listener: Client, songs: list[Track]) -> None:
    theirs = services.create_playlist(owner=UserFactory(), name="Theirs", tracks=[])
    address = f"/songs/{songs[0].pk}/playlists/"
    for sent in ({}, {"name": ""}, {"playlist": theirs.pk, "keep": "1"}, {"playlist": "x", "keep": "1", "name": "n"}):
        assert listener.post(address, sent).status_code == 400
    assert order(theirs) == ""
    assert Playlist.objects.count() == 1
    Track.objects.filter(pk=songs[0].pk).update(is_active=False)
    assert listener.get(address).status_code == 404


def test_playlists_of_others_are_not_found(listener: Client, songs: list[Track]) -> None:
    theirs = services.create_playlist(owner=UserFactory(), name="Theirs", tracks=songs)
    for part in ("", ".m3u", ".jspf", ".csv"):
        assert listener.get(f"{URL}{theirs.pk}{part}{'' if part else '/'}").status_code == 404
    sent = {"name": "Mine now", "track": songs[0].pk, "number": 3, "position": 0}
    for part in ("rename/", "delete/", "move/", "remove/", "restore/"):
        assert listener.post(f"{URL}{theirs.pk}/{part}", sent).status_code == 404
    assert "Theirs" not in listener.get(URL).content.decode()
    assert "Theirs" not in listener.get(f"/songs/{songs[0].pk}/playlists/").content.decode()
    theirs.refresh_from_db()
    assert (theirs.name, order(theirs)) == ("Theirs", "ABCDE")


def test_get_is_refused_and_csrf_enforced(listener: Client, playlist: Playlist) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(playlist.owner)
    for part in ("rename/", "delete/", "move/", "remove/", "restore/"):
        assert listener.get(f"{URL}{playlist.pk}/{part}").status_code == 405
        assert strict.post(f"{URL}{playlist.pk}/{part}").status_code == 403
    assert strict.post(URL, {"name": "x"}).status_code == 403
    assert order(playlist) == "ABCDE"
