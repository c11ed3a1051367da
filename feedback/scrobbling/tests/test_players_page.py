"""The page of players: tokens, what plays now, and matches by hand."""

import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from catalog.duplicates.merging import merge_tracks
from catalog.models import Track
from feedback.plays.models import Play
from feedback.ratings.models import Rating
from feedback.scrobbling.job import match_after_import
from feedback.scrobbling.keys import MAX_KEYS, create_key, find_key
from feedback.scrobbling.loving import love_by_name
from feedback.scrobbling.models import OldProtocols, Scrobble, ScrobbledSong, ScrobbleKey
from feedback.scrobbling.receiving import Teller, take_listens
from feedback.scrobbling.reported import ReportedListen
from feedback.scrobbling.tests.conftest import START, Call, listen
from feedback.scrobbling.tests.test_listenbrainz import plays
from feedback.tests.factories import UserFactory, make_track
from jobs.tests.helpers import run_waiting

# MariaDB finds words of committed rows alone.
pytestmark = pytest.mark.django_db(transaction=connection.vendor == "mysql")


@pytest.fixture
def listener(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text_of(response: object) -> str:
    return response.content.decode()  # type: ignore[attr-defined, no-any-return]


def test_a_token_is_shown_once(listener: Client, user: User) -> None:
    made = text_of(listener.post("/players/", {"name": "Phone"}))
    token = re.search(r'value="([0-9a-f-]{36})"', made)
    assert token is not None
    assert find_key(token[1]) == ScrobbleKey.objects.get(user=user, name="Phone")
    again = text_of(listener.get("/players/"))
    assert "Phone" in again
    assert token[1] not in again


def test_a_token_needs_a_name_and_there_are_only_so_many(listener: Client, user: User) -> None:
    assert listener.post("/players/", {"name": ""}).status_code == 422
    for number in range(MAX_KEYS):
        create_key(user=user, name=f"Player {number}")
    assert listener.post("/players/", {"name": "One more"}).status_code == 422
    assert ScrobbleKey.objects.count() == MAX_KEYS


def test_a_token_is_revoked_by_its_listener_alone(listener: Client, token: str) -> None:
    key = ScrobbleKey.objects.get()
    stranger = Client()
    stranger.force_login(UserFactory())
    assert stranger.post(f"/players/{key.pk}/revoke/").status_code == 404
    assert listener.post(f"/players/{key.pk}/revoke/").status_code == 302
    assert find_key(token) is None


def test_the_page_tells_where_to_enter_what_and_what_plays(listener: Client, submit: Call, song: Track) -> None:
    submit(listen(submission_client="Navidrome"), kind="playing_now")
    page = text_of(listener.get("/players/"))
    assert "http://testserver/1/" in page
    assert "Song 01 · Ada Lane" in page
    assert re.search(r"last seen (now|a second ago|\d+\xa0seconds ago)", page)
    listener.cookies["django_language"] = "de"
    assert re.search(
        r"zuletzt gesehen: (jetzt|vor einer Sekunde|vor \d+\xa0Sekunden)", text_of(listener.get("/players/"))
    )


def test_a_visitor_is_sent_to_log_in() -> None:
    assert Client().get("/players/").status_code == 302


@pytest.mark.parametrize("number", [1, 30])
def test_the_page_takes_a_constant_number_of_queries(listener: Client, user: User, number: int) -> None:
    for index in range(min(number, MAX_KEYS)):
        create_key(user=user, name=f"Player {index}")
    teller = Teller(user, ScrobbleKey.objects.all()[0], "test")
    heard = [ReportedListen(f"Unknown {index}", ("Nobody",), START + index * 400) for index in range(number)]
    take_listens(teller=teller, heard=heard, received=START + 90_000)
    track = make_track("Known")
    ScrobbledSong.objects.bulk_create(
        ScrobbledSong(user=user, digest=n, name_digest=n, title=f"K{n}", artist="A", track=track, is_by_hand=True)
        for n in range(number)
    )
    with CaptureQueriesContext(connection) as queries:
        listener.get("/players/")
    assert len(queries) == 7, [query["sql"][:90] for query in queries]


def test_a_match_by_hand_holds_for_the_name_and_is_undone(
    listener: Client, submit: Call, user: User, song: Track
) -> None:
    for second, album in ((0, "A"), (4000, "B")):
        entry = listen("Sng 1", at=START + second)
        entry["track_metadata"]["release_name"] = album
        submit(entry)
    love_by_name(user=user, heard=ReportedListen("Sng 1", ("Ada Lane",), album="B"), value=1)
    waiting = ScrobbledSong.objects.filter(album="A").get()
    page = text_of(listener.get(f"/players/songs/{waiting.pk}/?q=song+01"))
    assert f'name="track" value="{song.pk}"' in page
    # What was searched for stands in the field of this page alone.
    assert page.count('value="song 01"') == 1
    stranger = Client()
    stranger.force_login(UserFactory())
    assert stranger.post(f"/players/songs/{waiting.pk}/choose/", {"track": song.pk}).status_code == 404
    assert listener.post(f"/players/songs/{waiting.pk}/choose/", {"track": "x"}).status_code == 404
    assert listener.post(f"/players/songs/{waiting.pk}/choose/", {"track": song.pk}).status_code == 302
    submit(listen("Sng 1", at=START + 8000))
    assert [second for _title, second, _outcome in plays()] == [0, 4000, 8000]
    assert list(Rating.objects.values_list("track", "value")) == [(song.pk, 1)]
    assert listener.post(f"/players/songs/{waiting.pk}/undo/").status_code == 302
    assert (plays(), Scrobble.objects.filter(is_waiting=True).count()) == ([], 3)


def test_undoing_a_match_leaves_what_the_site_knew_already(listener: Client, submit: Call, user: User) -> None:
    song = make_track("Right", artist="Ada Lane", duration_ms=180_000)
    submit(listen("Right", at=START))
    submit(listen("Wrong", at=START), agent="other")
    waiting = ScrobbledSong.objects.get(title="Wrong")
    listener.post(f"/players/songs/{waiting.pk}/choose/", {"track": song.pk})
    assert plays() == [("Right", 0, "completed")]
    listener.post(f"/players/songs/{waiting.pk}/undo/")
    assert plays() == [("Right", 0, "completed")]


def test_what_waits_is_matched_after_an_import(submit: Call, tmp_path: Path) -> None:
    submit(listen("Winter", at=START, artist="Chopin"))
    file = tmp_path / "songs.csv"
    file.write_text("track_id,track_name,artists\n" + "0" * 22 + ",Winter,Chopin\n")
    call_command("import_tracks", str(file))
    run_waiting()
    assert plays() == [("Winter", 0, "completed")]
    match_after_import()
    assert Play.objects.count() == 1


def test_merged_songs_keep_their_scrobbles(submit: Call, song: Track, user: User) -> None:
    submit(listen(at=START))
    other = make_track("Song 1", artist="Ada Lane")
    merge_tracks(keep=other, duplicates=[song])
    submit(listen(at=START + 4000))
    assert set(Play.objects.values_list("track", flat=True)) == {other.pk}


def test_old_protocols_are_off_until_switched_on(listener: Client, user: User) -> None:
    create_key(user=user, name="Before")
    listener.post("/players/old-protocols/", {"on": "1"})
    create_key(user=user, name="After")
    assert dict(ScrobbleKey.objects.values_list("name", "old_digest"))["Before"] == ""
    assert len(ScrobbleKey.objects.get(name="After").old_digest) == 32
    listener.post("/players/old-protocols/", {"on": "0"})
    assert (OldProtocols.objects.count(), set(ScrobbleKey.objects.values_list("old_digest", flat=True))) == (0, {""})
