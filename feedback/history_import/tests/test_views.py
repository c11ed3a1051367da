"""The pages on which a listener brings their past along."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import User
from feedback.history_import.models import HistoryImport, UnmatchedSong
from feedback.history_import.tests.histories import spotify
from feedback.plays.models import Play
from feedback.tests.factories import UserFactory, make_track
from jobs.models import Job
from jobs.tests.helpers import run_waiting

pytestmark = pytest.mark.django_db
PAGE = "/history/import/"
UNREADABLE = (
    "my &lt;data&gt;.json isn&#x27;t a listening history we can read. We support Spotify, Last.fm, ListenBrainz, "
    "Maloja, YouTube Music, Apple Music, Tidal, Deezer, Exportify, Rockbox, tables with artist, track and date, and "
    "this site&#x27;s own files. Nothing was imported."
)
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _own_uploads(tmp_path: Path, settings: Settings) -> None:
    settings.VAR_DIR = tmp_path


def send(client: Client, records: list[Any], **fields: str) -> Any:
    upload = SimpleUploadedFile("my <data>.json", json.dumps(records).encode())
    return client.post(PAGE, {"file": upload, **fields})


def made(client: Client, records: list[Any], **fields: str) -> HistoryImport:
    """Return the import, done."""
    answer = send(client, records, **fields)
    history = HistoryImport.objects.latest("pk")
    assert (answer.status_code, answer["Location"]) == (302, f"{PAGE}{history.pk}/")
    run_waiting()
    history.refresh_from_db()
    return history


def test_anonymous_visitors_log_in_first(client: Client) -> None:
    assert client.get(PAGE)["Location"] == f"/accounts/login/?next={PAGE}"
    assert send(client, []).status_code == 302
    assert not HistoryImport.objects.exists()


def test_the_page_says_where_to_get_what_and_lists_what_came(listener: Client) -> None:
    page = listener.get(PAGE).content.decode()
    assert "Extended streaming history" in page
    assert "Your imports" not in page
    make_track("Song")
    made(listener, [spotify()])
    page = listener.get(PAGE).content.decode()
    assert "my &lt;data&gt;.json" in page
    assert "1 play added" in page


def test_an_upload_shows_its_progress_and_then_what_came_of_it(listener: Client, user: User) -> None:
    make_track("Song")
    send(listener, [spotify(), spotify("Unknown", ts="2024-03-01T11:00:00Z"), spotify(ms_played=1)])
    history = HistoryImport.objects.get()
    assert (history.user, history.wants_own_songs) == (user, False)
    address = f"{PAGE}{history.pk}/"
    page = listener.get(address).content.decode()
    assert "Waiting to start." in page
    assert f'hx-get="{address}"' in page
    assert "Undo this import" not in page
    fragment = listener.get(address, headers=HTMX)
    assert (fragment.status_code, "<html" in fragment.content.decode()) == (200, False)
    run_waiting()
    assert listener.get(address, headers=HTMX)["HX-Redirect"] == address
    answer = listener.get(address)
    assert answer.context["history"].plays_added == 1
    page = answer.content.decode()
    assert 'hx-trigger="every' not in page
    assert "was played for less than a second" in page
    assert "<strong>Unknown</strong>" in page
    assert "Undo this import" in page


def test_own_songs_where_asked_for(listener: Client) -> None:
    history = made(listener, [spotify("Unknown")], wants_own_songs="on")
    assert (history.songs_created, history.plays_added) == (1, 1)


def test_a_file_that_cannot_be_read_is_said(listener: Client) -> None:
    history = made(listener, [{"a": 1}])
    page = listener.get(f"{PAGE}{history.pk}/").content.decode()
    assert UNREADABLE in page
    assert "Where to get your history" in page
    assert "couldn't be imported" in listener.get(PAGE).content.decode()


def test_without_a_file_the_form_says_so(listener: Client) -> None:
    answer = listener.post(PAGE, {})
    assert answer.status_code == 422
    assert answer.context["form"].errors == {"file": ["This field is required."]}


def test_a_file_that_is_too_large_is_refused(listener: Client, settings: Settings) -> None:
    settings.MAX_HISTORY_UPLOAD_BYTES = 10
    answer = send(listener, [spotify()])
    assert answer.status_code == 422
    assert "The limit is 10" in answer.context["form"].errors["file"][0]
    answer = send(listener, [spotify()] * 500)
    assert (answer.status_code, "The limit is 10" in answer.content.decode()) == (413, True)
    assert not HistoryImport.objects.exists()


def test_a_forged_form_is_refused(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    assert send(client, [spotify()]).status_code == 403
    assert not HistoryImport.objects.exists()


def test_the_next_import_waits_for_the_one_before(listener: Client) -> None:
    send(listener, [spotify()])
    answer = send(listener, [spotify()])
    assert answer.status_code == 422
    assert "not finished yet" in answer.content.decode()
    assert HistoryImport.objects.count() == 1


def test_stop_go_on_and_undo(listener: Client) -> None:
    make_track("Song")
    send(listener, [spotify()])
    history = HistoryImport.objects.get()
    address = f"{PAGE}{history.pk}/"
    assert listener.post(f"{address}stop/")["Location"] == address
    page = listener.get(address).content.decode()
    assert "Stopped after 0 plays" in page
    assert "Continue" in page
    listener.post(f"{address}continue/")
    run_waiting()
    assert Play.objects.count() == 1
    page = listener.post(f"{address}stop/", follow=True).content.decode()
    assert "It&#x27;s too late for that." in page
    listener.post(f"{address}undo/")
    assert "?undo=1" in listener.get(address).content.decode()
    run_waiting()
    assert (Play.objects.count(), HistoryImport.objects.count()) == (0, 0)
    assert listener.get(f"{address}?undo=1", headers=HTMX)["HX-Redirect"] == PAGE
    assert listener.get(address).status_code == 404


def test_another_listeners_import_is_not_there(client: Client, listener: Client) -> None:
    send(listener, [spotify()])
    address = f"{PAGE}{HistoryImport.objects.get().pk}/"
    client.force_login(UserFactory())
    for path in ("", "unmatched.csv"):
        assert client.get(address + path).status_code == 404
    for action in ("stop", "continue", "undo"):
        assert client.post(f"{address}{action}/").status_code == 404
    assert client.post(f"{address}delete/").status_code == 404
    assert Job.objects.get().state == Job.State.WAITING


def test_a_get_changes_nothing(listener: Client) -> None:
    send(listener, [spotify()])
    assert listener.get(f"{PAGE}{HistoryImport.objects.get().pk}/stop/").status_code == 405


def test_the_unmatched_are_paged_and_downloaded(listener: Client) -> None:
    records = [spotify(f"Song {number}", ts=f"2024-03-01T10:{number:02}:00Z") for number in range(55)]
    records.append(spotify("=1+1", "@art", ts="2024-03-01T12:00:00Z"))
    history = made(listener, records)
    first = listener.get(f"{PAGE}{history.pk}/")
    assert (len(first.context["page"]), first.context["page"].paginator.count) == (50, 56)
    assert "Page 1 of 2" in first.content.decode()
    assert len(listener.get(f"{PAGE}{history.pk}/?page=2").context["page"]) == 6
    answer = listener.get(f"{PAGE}{history.pk}/unmatched.csv")
    lines = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert answer["Content-Disposition"] == 'attachment; filename="songs-not-found.csv"'
    assert (len(lines), lines[0], lines[1]) == (57, "title,artist,album,uri,plays", "Song 0,Someone,Record,,1")
    assert lines[-1] == "'=1+1,'@art,Record,,1"


@pytest.mark.parametrize("count", [1, 3])
def test_constant_queries(
    listener: Client, user: User, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    imports = [HistoryImport.objects.create(user=user, name="a") for _number in range(count)]
    songs = [
        UnmatchedSong(history_import=imports[0], digest=number, title="a", artist="b", plays=1)
        for number in range(count)
    ]
    UnmatchedSong.objects.bulk_create(songs)
    with django_assert_num_queries(3):
        listener.get(PAGE)
    with django_assert_num_queries(6):
        listener.get(f"{PAGE}{imports[0].pk}/")


def test_an_error_is_told_in_the_language_of_the_reader(listener: Client, user: User) -> None:
    history = HistoryImport.objects.create(
        user=user,
        name="a.zip",
        error="%(file)s contains no plays.",
        error_values={"file": "100 %.zip"},
        skipped={"has no song": 1},
        finished_at=timezone.now(),
    )
    assert "100 %.zip contains no plays." in listener.get(f"{PAGE}{history.pk}/").content.decode()
    german = listener.get(f"{PAGE}{history.pk}/", headers={"Accept-Language": "de"}).content.decode()
    assert "100 %.zip enthält keine Wiedergaben." in german
    HistoryImport.objects.update(error="a.zip: holds no plays", error_values={})
    assert "a.zip: holds no plays. Nothing" in listener.get(f"{PAGE}{history.pk}/").content.decode()


def test_reasons_are_told_in_the_language_of_the_reader(listener: Client, user: User) -> None:
    history = HistoryImport.objects.create(
        user=user, name="a.zip", skipped={"has no song": 2, "of old": 1}, finished_at=timezone.now()
    )
    german = listener.get(f"{PAGE}{history.pk}/", headers={"Accept-Language": "de"}).content.decode()
    assert "ohne Song" in german
    assert "of old" in german
