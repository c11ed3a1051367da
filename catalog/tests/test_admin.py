"""The administration of the catalogue."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from catalog.duplicates import merging
from catalog.features import FEATURES as SCHEMA
from catalog.importing.admin import SHOWN_REJECTS
from catalog.models import Artist, Genre, Track
from catalog.search.selectors import search
from catalog.tests.factories import FEATURES, make_artist, make_track

# MariaDB's full-text index shows only what was committed.
pytestmark = pytest.mark.django_db(transaction=connection.vendor == "mysql")
LIST = "/admin/catalog/track/"
IMPORT = "/admin/catalog/track/import/"
HEADER = "track_id,artists,album_name,track_name,popularity,duration_ms,track_genre\n"
ROW = "0123456789012345678901,One,Record,Song,50,180000,rock\n"


def log_in(client: Client, *permissions: str) -> User:
    user = User.objects.create_user("operator", "operator@example.org", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return user


@pytest.fixture
def operator(client: Client) -> Client:
    user = User.objects.create_superuser("boss", "boss@example.org", "secret")
    client.force_login(user)
    return client


@pytest.fixture(autouse=True)
def _own_var(tmp_path: Path, settings: Settings) -> None:
    settings.VAR_DIR = tmp_path


def shown(response: Any) -> list[str]:
    return [track.title for track in response.context["cl"].result_list]


def form_data(track: Track, **changes: Any) -> dict[str, Any]:
    """Return what the change form of ``track`` sends, with ``changes``."""
    data: dict[str, Any] = {
        "title": track.title, "album": track.album, "genres": [genre.pk for genre in track.genres.all()],
        "popularity": track.popularity or "", "duration_ms": "", "explicit": "unknown", "release_year": "",
        "spotify_id": track.spotify_id or "", "isrc": "", "preview_url": "", "is_active": "on",
        **{f"feature_{name}": track.features.get(name, "") for name in SCHEMA},
    }  # fmt: skip
    credits_ = list(track.credits.order_by("position"))
    data |= {"credits-TOTAL_FORMS": len(credits_), "credits-INITIAL_FORMS": len(credits_)}
    for number, credit in enumerate(credits_):
        data |= {
            f"credits-{number}-id": credit.pk,
            f"credits-{number}-track": track.pk,
            f"credits-{number}-artist": credit.artist_id,
            f"credits-{number}-number": number + 1,
        }
    return data | changes


def save(client: Client, track: Track, **changes: Any) -> Track:
    response = client.post(f"{LIST}{track.pk}/change/", form_data(track, **changes))
    assert response.status_code == 302, response.context["errors"]
    track.refresh_from_db()
    return track


class TestList:
    def test_searches_like_the_site_and_finds_hidden_songs(self, operator: Client) -> None:
        make_track("Déjà Vu", "Beyoncé")
        make_track("Deja Hidden", "Nobody", is_active=False)
        make_track("Other", "Nobody")
        assert shown(operator.get(LIST, {"q": "DEJA"})) == ["Deja Hidden", "Déjà Vu"]
        assert shown(operator.get(LIST, {"q": "vu beyonce"})) == ["Déjà Vu"]

    @pytest.mark.parametrize(
        "query",
        [
            {"is_active__exact": "0"}, {"explicit__exact": "1"}, {"origin__exact": "csv"},
            {"features_origin__exact": "csv"}, {"genres__name": "rock"},
        ],
    )  # fmt: skip
    def test_filters(self, operator: Client, query: dict[str, str]) -> None:
        make_track("Yes", genres=["rock"], is_active=False, explicit=True, origin="csv", features_origin="csv")
        make_track("No", genres=["pop"])
        if "genres__name" in query:
            query = {"genres__id__exact": str(Genre.objects.get(name="rock").pk)}
        assert shown(operator.get(LIST, query)) == ["Yes"]

    @pytest.mark.parametrize("count", [1, 3])
    def test_constant_number_of_queries(self, operator: Client, count: int, django_assert_num_queries: Any) -> None:
        for number in range(count):
            make_track(f"Song {number}", f"Artist {number}", genres=[f"genre {number}"])
        # session, user, genres to filter by, count, rows
        with django_assert_num_queries(5):
            assert len(shown(operator.get(LIST))) == count

    def test_hide_and_show(self, operator: Client) -> None:
        first, two = make_track("One"), make_track("Two", is_active=False)
        data = {"_selected_action": [first.pk, two.pk]}
        response = operator.post(LIST, {**data, "action": "hide_tracks"}, follow=True)
        assert "1 song hidden." in response.content.decode()
        assert set(Track.objects.values_list("is_active", flat=True)) == {False}
        response = operator.post(LIST, {**data, "action": "show_tracks"}, follow=True)
        assert "2 songs are visible again." in response.content.decode()
        assert set(Track.objects.values_list("is_active", flat=True)) == {True}


class TestChange:
    def test_edited_features_are_the_operators(self, operator: Client) -> None:
        track = make_track(features=FEATURES, features_origin="csv")
        save(operator, track, feature_energy="0.25", feature_tempo="", feature_key="")
        expected = {name: value for name, value in FEATURES.items() if name not in ("tempo", "key")}
        assert track.features == {**expected, "energy": 0.25}
        assert track.features_origin == Track.FeaturesOrigin.OPERATOR

    def test_features_keep_their_origin_when_something_else_is_edited(self, operator: Client) -> None:
        track = make_track(features=FEATURES, features_origin="csv")
        save(operator, track, title="New")
        assert (track.features, track.features_origin) == (FEATURES, "csv")

    @pytest.mark.parametrize(
        ("field", "value"),
        [("energy", "1.7"), ("energy", "abc"), ("energy", "nan"), ("key", "3.5"), ("tempo", "5"), ("loudness", "99")],
    )
    def test_bad_feature_is_refused_at_its_field(self, operator: Client, field: str, value: str) -> None:
        track = make_track(features={"energy": 0.5}, features_origin="csv")
        data = form_data(track, **{f"feature_{field}": value})
        response = operator.post(f"{LIST}{track.pk}/change/", data)
        assert list(response.context["adminform"].form.errors) == [f"feature_{field}"]
        track.refresh_from_db()
        assert track.features == {"energy": 0.5}

    def test_derived_columns_follow_title_and_album(self, operator: Client) -> None:
        track = make_track("Old", "One")
        save(operator, track, title="Néw - Live", album="Record")
        assert (track.search_key, track.search_text) == ("new live one", "new live one record")
        assert track.recording_key == make_track("New", "One").recording_key

    def test_artists_can_change_places(self, operator: Client) -> None:
        track = make_track("Song", "One", "Two")
        save(operator, track, **{"credits-0-number": "2", "credits-1-number": "1"})
        assert (track.artist_names, track.search_key) == ("Two, One", "song two one")
        assert list(track.credits.values_list("artist__name", "position")) == [("Two", 0), ("One", 1)]

    def test_artists_can_be_added_and_removed(self, operator: Client) -> None:
        track = make_track("Song", "One")
        changes = {"credits-0-DELETE": "on", "credits-TOTAL_FORMS": 2, "credits-1-artist": make_artist("Three").pk}
        save(operator, track, **changes, **{"credits-1-number": "1", "credits-1-id": "", "credits-1-track": track.pk})
        assert track.artist_names == "Three"
        assert search("song three").track_ids == [track.pk]

    def test_song_can_be_added(self, operator: Client) -> None:
        data = form_data(make_track("Model"), title="Added", feature_energy="0.5")
        data |= {"credits-INITIAL_FORMS": 0, "credits-0-id": "", "credits-0-track": ""}
        assert operator.post(f"{LIST}add/", data).status_code == 302
        added = Track.objects.get(title="Added")
        assert (added.artist_names, added.search_key, added.origin) == ("Someone", "added someone", "operator")
        assert (added.features, added.features_origin) == ({"energy": 0.5}, "operator")

    def test_same_artist_twice_is_refused(self, operator: Client) -> None:
        track = make_track("Song", "One", "Two")
        item = Artist.objects.get(name="One")
        response = operator.post(f"{LIST}{track.pk}/change/", form_data(track, **{"credits-1-artist": item.pk}))
        assert response.status_code == 200
        track.refresh_from_db()
        assert track.artist_names == "One, Two"

    def test_new_name_of_an_artist_goes_through_the_songs(self, operator: Client) -> None:
        track = make_track("Song", "Old Name", "Two")
        artist = Artist.objects.get(name="Old Name")
        operator.post(f"/admin/catalog/artist/{artist.pk}/change/", {"name": "Néw"})
        track.refresh_from_db()
        artist.refresh_from_db()
        assert (artist.search_name, track.artist_names, track.search_key) == ("new", "Néw, Two", "song new two")

    def test_name_of_another_artist_is_refused(self, operator: Client) -> None:
        make_track("Song", "One", "Two")
        two = Artist.objects.get(name="Two")
        response = operator.post(f"/admin/catalog/artist/{two.pk}/change/", {"name": "ÖNE"})
        assert "There&#x27;s already an artist with this name." in response.content.decode()

    @pytest.mark.parametrize("url", ["/admin/catalog/artist/?q=bey", "/admin/catalog/genre/?q=ro"])
    def test_artists_and_genres_are_searched(self, operator: Client, url: str) -> None:
        make_track("Song", "Beyoncé", genres=["rock"])
        make_track("Song", "Other", genres=["pop"])
        assert len(operator.get(url).context["cl"].result_list) == 1


class TestMerge:
    @pytest.fixture
    def moved(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
        calls: list[tuple[str, str]] = []
        monkeypatch.setattr(merging, "_handlers", [])
        merging.register_merge_handler(lambda duplicate, keep: calls.append((duplicate.title, keep.title)))
        return calls  # type: ignore[return-value]

    def test_asks_which_to_keep_then_merges(self, operator: Client, moved: list[tuple[str, str]]) -> None:
        keep = make_track("Keep", spotify_id="0" * 22, genres=["rock"])
        imported = make_track("Imported", spotify_id="1" * 22, genres=["pop"], album="Record", popularity=7)
        by_hand = make_track("By hand", features={"energy": 0.5}, features_origin="csv")
        data = {"action": "merge_duplicates", "_selected_action": [keep.pk, imported.pk, by_hand.pk]}
        page = operator.post(LIST, data)
        assert page.status_code == 200
        assert page.content.decode().count('type="radio"') == 3
        assert moved == []
        operator.post(LIST, {**data, "keep": keep.pk})
        keep.refresh_from_db()
        assert moved == [("Imported", "Keep"), ("By hand", "Keep")]
        assert set(Track.objects.values_list("title", "is_active")) == {("Keep", True), ("Imported", False)}
        assert (keep.album, keep.popularity, keep.features) == ("Record", 7, {"energy": 0.5})
        assert set(keep.genres.values_list("name", flat=True)) == {"rock", "pop"}
        assert "record" in keep.search_text

    def test_one_song_is_not_merged(self, operator: Client) -> None:
        data = {"action": "merge_duplicates", "_selected_action": [make_track().pk]}
        assert "Select 2 to 20 songs to merge." in operator.post(LIST, data, follow=True).content.decode()

    def test_song_to_keep_must_be_among_the_chosen(self, operator: Client, moved: list[tuple[str, str]]) -> None:
        first, two, other = make_track("One"), make_track("Two"), make_track("Other")
        data = {"action": "merge_duplicates", "_selected_action": [first.pk, two.pk], "keep": other.pk}
        assert operator.post(LIST, data).status_code == 200
        assert moved == []
        assert Track.objects.count() == 3

    def test_failing_handler_leaves_everything_as_it_was(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(_duplicate: Track, _keep: Track) -> None:
            raise RuntimeError("no")

        monkeypatch.setattr(merging, "_handlers", [fail])
        keep, duplicate = make_track("Keep"), make_track("Duplicate", genres=["pop"])
        with pytest.raises(RuntimeError, match="no"):
            merging.merge_tracks(keep=keep, duplicates=[duplicate])
        assert Track.objects.filter(is_active=True).count() == 2
        assert keep.genres.count() == 0

    def test_song_is_not_merged_into_itself(self) -> None:
        track = make_track()
        with pytest.raises(merging.MergeError, match="itself"):
            merging.merge_tracks(keep=track, duplicates=[track])

    def test_handlers_are_registered_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(merging, "_handlers", [])

        def handler(_duplicate: Track, _keep: Track) -> None: ...

        merging.register_merge_handler(handler)
        merging.register_merge_handler(handler)
        assert merging._handlers == [handler]


class TestImport:
    def upload(self, client: Client, content: bytes, name: str = "songs.csv", **data: Any) -> Any:
        return client.post(IMPORT, {"file": SimpleUploadedFile(name, content), **data})

    def test_button_leads_to_the_form(self, operator: Client) -> None:
        assert f'href="{IMPORT}"' in operator.get(LIST).content.decode()
        assert 'type="file"' in operator.get(IMPORT).content.decode()

    @pytest.mark.parametrize("name", ["songs.csv", "songs.csv.gz"])
    def test_file_is_imported_and_reported(self, operator: Client, name: str) -> None:
        content = (HEADER + ROW).encode()
        response = self.upload(operator, gzip.compress(content) if name.endswith("gz") else content, name)
        report = response.context["report"]
        assert (report.rows_read, report.songs_created, report.rows_rejected) == (1, 1, 0)
        assert search("song").track_ids == [Track.objects.get(spotify_id="0123456789012345678901").pk]
        assert "Nothing changed." in self.upload(operator, content).content.decode()

    def test_dry_run_changes_nothing(self, operator: Client) -> None:
        response = self.upload(operator, (HEADER + ROW).encode(), is_dry_run="on")
        assert response.context["report"].songs_created == 1
        assert "Dry run. Nothing was changed." in response.content.decode()
        assert not Track.objects.exists()

    def test_rows_that_repeat_a_song_are_counted(self, operator: Client) -> None:
        page = self.upload(operator, (HEADER + ROW * 3).encode()).content.decode()
        assert '<th scope="row">Rows that repeat a song of the file</th><td>2</td>' in page

    def test_rejected_rows_are_listed_and_can_be_downloaded(self, operator: Client, tmp_path: Path) -> None:
        bad = "".join(f"{number:022},One,,,50,180000,rock\n" for number in range(SHOWN_REJECTS + 5))
        response = self.upload(operator, (HEADER + ROW + bad).encode())
        assert len(response.context["rejects"]) == SHOWN_REJECTS
        assert response.context["report"].rows_rejected == SHOWN_REJECTS + 5
        url = f"{IMPORT}rejects/{response.context['token']}/"
        assert url in response.content.decode()
        lines = b"".join(operator.get(url)).decode().splitlines()
        assert len(lines) == SHOWN_REJECTS + 6
        assert (lines[0], lines[1][:2]) == ("line,reason,row", "3,")
        log_in(client := Client(), "add_track", "change_track")
        assert client.get(url).status_code == 404

    @pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"PK\x03\x04" + b"\x00" * 50])
    def test_unusable_file_is_said_in_one_line(self, operator: Client, content: bytes) -> None:
        response = self.upload(operator, content)
        assert response.status_code == 200
        assert "errornote" in response.content.decode() or response.context["form"].errors
        assert not Track.objects.exists()

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (HEADER + ROW + "x,Song,Ann,,50,1,rock\n", "&#x27;x&#x27; ist keine Song-ID von Spotify"),
            (HEADER + "a,b\n" + ROW, "zu wenige Spalten: 2 statt 7"),
            (HEADER + ROW.replace("50", "500"), "popularity: 500 ist nicht zwischen 0 und 100"),
            ("a,b\n1,2\n", "keine brauchbaren Spalten."),
            ("PK\x03\x04", "ist keine CSV-Datei, sondern offenbar ein ZIP-Archiv"),
        ],
    )
    def test_what_was_wrong_is_read_in_german(self, operator: Client, content: str, sentence: str) -> None:
        operator.cookies["django_language"] = "de"
        assert sentence in self.upload(operator, content.encode()).content.decode()

    def test_large_file_is_refused(self, operator: Client, settings: Settings) -> None:
        settings.MAX_IMPORT_UPLOAD_BYTES = 100
        response = self.upload(operator, (HEADER + ROW * 2).encode())
        assert "The limit is 100" in str(response.context["form"].errors["file"])
        assert not Track.objects.exists()

    @pytest.mark.parametrize("token", ["..", "%2e%2e%2fdb", "0" * 32, "x" * 32])
    def test_other_files_cannot_be_downloaded(self, operator: Client, token: str) -> None:
        assert operator.get(f"{IMPORT}rejects/{token}/").status_code in (302, 404)


class TestPermissions:
    @pytest.mark.parametrize("url", [LIST, IMPORT, f"{IMPORT}rejects/{'0' * 32}/", "/admin/catalog/artist/"])
    def test_listeners_are_sent_to_the_log_in(self, client: Client, url: str) -> None:
        client.force_login(User.objects.create_user("listener", "listener@example.org"))
        assert client.get(url).status_code in (302, 403)

    def test_looking_is_not_importing(self, client: Client) -> None:
        log_in(client, "view_track")
        make_track("Song")
        page = client.get(LIST)
        assert page.status_code == 200
        assert IMPORT not in page.content.decode()
        assert "hide_tracks" not in page.content.decode()
        assert client.get(IMPORT).status_code == 403
        assert client.post(IMPORT, {"file": SimpleUploadedFile("a.csv", ROW.encode())}).status_code == 403

    def test_changing_is_not_merging(self, client: Client) -> None:
        log_in(client, "view_track", "change_track")
        first, two = make_track("One"), make_track("Two")
        page = client.get(LIST).content.decode()
        assert "hide_tracks" in page
        assert "merge_duplicates" not in page
        chosen = {"action": "merge_duplicates", "_selected_action": [first.pk, two.pk], "keep": first.pk}
        client.post(LIST, chosen)
        assert Track.objects.count() == 2
