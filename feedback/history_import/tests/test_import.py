"""A history comes in once, whole or not at all, and goes out again."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from pytest_django import Settings

from accounts.models import User
from catalog.importing.service import import_tracks
from catalog.models import Track, TrackCode
from feedback.history_import import job as history_job
from feedback.history_import import services
from feedback.history_import.models import HistoryImport, UnmatchedSong
from feedback.history_import.reading import source
from feedback.history_import.tests.histories import listen, packed, scrobble, spotify
from feedback.plays.models import Play
from feedback.plays.services import remove_play, restore_play
from feedback.ratings.models import Rating
from feedback.ratings.services import rate
from feedback.taste import feedback_of
from feedback.tests.factories import UserFactory, make_track
from jobs.models import Job
from jobs.services import JobError
from jobs.tests.helpers import run_waiting

pytestmark = pytest.mark.django_db
ID = "0123456789ABCDEFabcdef"
OTHER_ID = "f" * 22


@pytest.fixture(autouse=True)
def uploads(tmp_path: Path, settings: Settings) -> Path:
    settings.VAR_DIR = tmp_path
    return tmp_path / "uploads"


def bring(
    user: User, content: "bytes | str | list[Any]", *, own: bool = True, name: str = "my data.zip"
) -> HistoryImport:
    data = json.dumps(content) if isinstance(content, list) else content
    history = services.begin_import(user=user, upload=ContentFile(data, name=name), wants_own_songs=own)
    run_waiting()
    history.refresh_from_db()
    return history


def counts(history: HistoryImport) -> tuple[int, int, int, int, int]:
    return (
        history.position,
        history.plays_added,
        history.plays_known,
        history.plays_unmatched,
        history.plays_skipped,
    )


def at(second: int) -> str:
    return f"2024-03-01T10:{second // 60:02}:{second % 60:02}Z"


def test_plays_are_matched_by_the_musicbrainz_id_that_a_music_server_told(user: User) -> None:
    mbid = "b1a9c0e9-d987-4042-ae91-78d6a3267d69"
    make_track("Song", artist="Someone")
    track = make_track("Written otherwise", artist="Somebody", mbid=mbid)
    bring(user, [listen("Song", recording_mbid=mbid.upper()), listen("Song", recording_mbid="no id", at=1_700_001_000)])
    assert [play.track.title for play in Play.objects.order_by("played_at")] == [track.title, "Song"]


def test_plays_are_matched_by_the_further_codes_of_a_song(user: User) -> None:
    mbid, isrc = "b1a9c0e9-d987-4042-ae91-78d6a3267d69", "USABC1234567"
    make_track("Song", artist="Someone")
    further = make_track("Written otherwise", artist="Somebody", mbid="c2a9c0e9-d987-4042-ae91-78d6a3267d69")
    TrackCode.objects.create(track=further, scheme="mbid", value=mbid)
    TrackCode.objects.create(track=further, scheme="isrc", value=isrc)
    # A code is of the song that has it as its first.
    TrackCode.objects.create(track=make_track("Also"), scheme="isrc", value="GBABC1234567")
    first = make_track("First", isrc="GBABC1234567")
    listens = [
        listen("Song", recording_mbid=mbid),
        listen("Song", isrc=isrc, at=1_700_001_000),
        listen("Song", isrc="GBABC1234567", at=1_700_002_000),
        listen("Song", recording_mbid="d2a9c0e9-d987-4042-ae91-78d6a3267d69", at=1_700_003_000),
    ]
    bring(user, listens)
    titles = [play.track.title for play in Play.objects.order_by("played_at")]
    assert titles == [further.title, further.title, first.title, "Song"]


def test_plays_are_matched_by_id_then_isrc_then_title_and_artist(user: User) -> None:
    by_id = make_track("Other title", spotify_id=ID)
    by_isrc = make_track("Third title", isrc="USABC1234567")
    by_name = make_track("Sång", artist="Åsa")
    history = bring(user, [spotify(spotify_track_uri=f"spotify:track:{ID}", ts=at(1))])
    assert counts(history) == (1, 1, 0, 0, 0)
    bring(user, [listen("Whatever", isrc="US-ABC-12-34567")])
    bring(user, [spotify("SANG - Remastered 2011", "asa", spotify_track_uri=f"spotify:track:{OTHER_ID}", ts=at(2))])
    assert [play.track for play in Play.objects.order_by("pk")] == [by_id, by_isrc, by_name]
    play = Play.objects.order_by("pk")[0]
    assert (play.source, play.outcome, play.ms_played, play.is_counted) == ("history", "completed", 200_000, True)
    assert play.played_at.isoformat() == "2024-03-01T10:00:01+00:00"


def test_a_second_import_adds_nothing(user: User, uploads: Path) -> None:
    make_track("Song")
    records = [spotify(ts=at(second)) for second in range(5)]
    records.append(records[0])
    first = bring(user, packed(Streaming_History_Audio_json=records))
    assert (counts(first), first.format, first.error) == ((6, 5, 1, 0, 0), "spotify", "")
    assert first.finished_at is not None
    assert list(uploads.iterdir()) == []
    second = bring(user, records, name="again.json")
    assert counts(second) == (6, 0, 6, 0, 0)
    assert Play.objects.count() == 5
    # Another listener's plays are their own.
    assert counts(bring(UserFactory(), records)) == (6, 5, 1, 0, 0)


def test_the_same_scrobble_as_json_and_as_csv_is_one_play(user: User) -> None:
    make_track("Song")
    bring(user, [scrobble()])
    assert counts(bring(user, "Someone,Record,Song,14 Nov 2023 22:13\n")) == (1, 0, 1, 0, 0)


def test_unknown_songs_become_hidden_songs_of_their_own(user: User) -> None:
    records = [
        spotify("Demo", "The Band", spotify_track_uri=f"spotify:track:{ID}", ts=at(1)),
        spotify("Demo", "The Band", spotify_track_uri=f"spotify:track:{OTHER_ID}", ts=at(2)),
        spotify("Other", "The Band", ts=at(3)),
    ]
    history = bring(user, records)
    assert (counts(history), history.songs_created) == ((3, 3, 0, 0, 0), 2)
    songs = Track.objects.order_by("pk")
    assert [(s.title, s.artist_names, s.album, s.spotify_id, s.origin, s.is_active) for s in songs] == [
        ("Demo", "The Band", "Record", ID, "private", False),
        ("Other", "The Band", "Record", None, "private", False),
    ]
    assert [credit.artist.name for credit in songs[0].credits.all()] == ["The Band"]
    taste = feedback_of(user).plays
    assert [(played.track_id, played.plays, played.completed) for played in taste] == [
        (songs[0].pk, 2, 2),
        (songs[1].pk, 1, 1),
    ]
    # The next listener's plays of them find the same songs.
    assert bring(UserFactory(), records).songs_created == 0


def test_a_private_song_is_shown_once_the_catalogue_has_it(user: User, tmp_path: Path) -> None:
    bring(user, [spotify("Demo", "The Band", spotify_track_uri=f"spotify:track:{ID}")])
    path = tmp_path / "songs.csv"
    path.write_text(f"track_id,track_name,artists\n{ID},Demo,The Band\n")
    report = import_tracks(source=path)
    song = Track.objects.get()
    assert (report.songs_created, song.origin, song.is_active) == (0, "csv", True)


def test_unknown_songs_stay_aside_where_the_listener_wants_that(user: User) -> None:
    records = [spotify("Demo", "The Band", ts=at(second)) for second in range(3)]
    records.append(spotify("Démo", "the band", ts=at(9)))
    records.append(spotify("Other", "The Band", ts=at(10), spotify_track_uri="spotify:track:x"))
    history = bring(user, records, own=False)
    assert (counts(history), history.songs_created) == ((5, 0, 0, 5, 0), 0)
    aside = history.unmatched.values_list("title", "artist", "album", "uri", "plays")
    assert list(aside) == [("Demo", "The Band", "Record", "", 4), ("Other", "The Band", "Record", "spotify:track:x", 1)]
    assert not Track.objects.exists()
    # Once the catalogue has the song, the same file adds its plays.
    make_track("Demo", artist="The Band")
    assert counts(bring(user, records, own=False)) == (5, 4, 0, 1, 0)


def test_a_hidden_song_is_left_out(user: User) -> None:
    make_track("Song", is_active=False, spotify_id=ID)
    history = bring(user, [spotify(spotify_track_uri=f"spotify:track:{ID}")])
    assert (counts(history), history.skipped) == ((1, 0, 0, 0, 1), {"is hidden on this site": 1})


def test_what_is_left_out_is_counted_by_its_reason(user: User) -> None:
    make_track("Song")
    records = [
        spotify(), spotify(ts="2099-01-01T00:00:00Z"), spotify(ts="1970-01-01T00:00:00Z"), spotify(ms_played=5),
        spotify(master_metadata_track_name=None, episode_name="Talk"),
    ]  # fmt: skip
    history = bring(user, records)
    assert counts(history) == (5, 1, 0, 0, 4)
    assert history.skipped == {
        "has no valid date or time": 2,
        "was played for less than a second": 1,
        "is a podcast, an audiobook or a video": 1,
    }


def test_a_private_session_does_not_count_in_the_taste(user: User) -> None:
    make_track("Song")
    bring(user, [spotify(incognito_mode=True)])
    assert Play.objects.get().is_counted is False
    assert feedback_of(user).plays == ()


def test_signs_that_databases_refuse_are_taken_out(user: User) -> None:
    text = json.dumps([spotify("XXXX", "A\u0000rt\u0000", ts=at(1))]).replace("XXXX", "T\\ud800itle")
    history = bring(user, text)
    assert counts(history) == (1, 1, 0, 0, 0)
    song = Track.objects.get()
    assert (song.title, song.artist_names) == ("T?itle", "Art")


def zip_with(name: str, content: bytes = b"[]", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def good() -> str:
    """Return a history that is longer than one chunk, so that something was in when the damage shows."""
    return json.dumps([spotify(f"Song {number}", ts=at(number)) for number in range(3000)])


def crc_damaged() -> bytes:
    data = bytearray(zip_with("a.json", good().encode(), zipfile.ZIP_STORED))
    position = data.index(b"Song 2999")
    data[position : position + 4] = b"Sang"
    return bytes(data)


def encrypted() -> bytes:
    data = bytearray(zip_with("a.json", good().encode()))
    data[6] |= 1
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


UNKNOWN = (
    "my_data isn't a listening history we can read. We support Spotify, Last.fm, ListenBrainz, Maloja, YouTube Music, "
    "Apple Music, Tidal, Deezer, Exportify, Rockbox, tables with artist, track and date, and this site's own files."
)
DAMAGES: dict[str, tuple[Callable[[], "bytes | str"], str]] = {
    "cut in the middle": (lambda: good()[:-400], "my_data is incomplete. Please download it again."),
    "zip cut": (
        lambda: zip_with("a.json", good().encode())[:-600],
        "my_data is a damaged or incomplete zip archive. Please download it again.",
    ),
    "zip content changed": (crc_damaged, "a.json is damaged and can't be unpacked."),
    "locked": (encrypted, "my_data is password-protected. Unpack it and upload it without a password."),
    "not UTF-8": (
        lambda: good().encode()[:-300] + b"\xff\xfe" + good().encode()[-300:],
        "my_data isn't UTF-8 text. Save it as UTF-8 and try again.",
    ),
    "UTF-16": (
        lambda: good().encode("utf-16"),
        "my_data isn't a listening history. It is UTF-16 text. Save it as UTF-8.",
    ),
    "gzip": (
        lambda: b"\x1f\x8b" + b"0" * 50,
        "my_data isn't a listening history. It is compressed with gzip. Unpack it first.",
    ),
    "web page": (lambda: "<!DOCTYPE html><title>Log in</title>", UNKNOWN),
    "other JSON": (lambda: '{"playlists": []}', UNKNOWN),
    "path trick": (
        lambda: zip_with("../../etc/cron.d/x", good().encode()),
        "my_data contains a file with an unsafe path (../../etc/cron.d/x).",
    ),
    "bomb": (
        lambda: zip_with("a.json", b" " * 40_000_000),
        "a.json in my_data is far too large for a listening history.",
    ),
    "garbage after": (
        lambda: good() + "x",
        "Line 1 of my_data is damaged. There is something after the end of the list.",
    ),
    "nested too deep": (
        lambda: good()[:-1] + "," + "[" * 200_000,
        "my_data is damaged. It contains something that doesn't belong in an export.",
    ),
    "huge number": (
        lambda: good()[:-1] + ',{"ts": ' + "9" * 5000 + "}]",
        "my_data is damaged. It contains something that doesn't belong in an export.",
    ),
    "quote not closed": (
        lambda: "artist,album,track,uts\n" + "a,b,c,1700000000\n" * 3000 + 'a,b,"c,1700000000\n',
        "Line 3002 of my_data is damaged or incomplete.",
    ),
    "line not JSON": (
        lambda: "\n".join([json.dumps(listen(at=1_700_000_000 + n)) for n in range(3000)]) + '\n{"a',
        "Line 3001 of my_data is damaged or incomplete.",
    ),
    "no plays": (lambda: "artist,album,track,uts\n", "my_data contains no plays."),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_gets_a_clear_line_and_nothing_half_in(
    user: User, damage: str, monkeypatch: pytest.MonkeyPatch, uploads: Path
) -> None:
    monkeypatch.setattr(history_job, "CHUNK_ROWS", 500)
    make, message = DAMAGES[damage]
    history = bring(user, make(), name="my_data")
    assert history.error_text == message
    assert counts(history) == (0, 0, 0, 0, 0)
    assert (history.songs_created, history.skipped) == (0, {})
    assert not Play.objects.exists()
    assert not Track.objects.exists()
    assert not UnmatchedSong.objects.exists()
    assert list(uploads.iterdir()) == []
    job = Job.objects.get()
    assert (job.state, job.log.strip().endswith("Nothing was imported.")) == (Job.State.FAILED, True)


def test_an_archive_of_too_many_or_too_large_files_is_refused(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_MEMBERS", 1)
    assert "contains 2 files. The limit is 1." in bring(user, packed(a_json=[], b_json=[])).error_text
    monkeypatch.setattr(source, "MAX_UNPACKED_BYTES", 10)
    assert "unpacks to more than" in bring(user, packed(a_json=[spotify()])).error_text


def test_stopped_in_the_middle_it_goes_on_to_the_same_end(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_job, "CHUNK_ROWS", 10)
    make_track("Song")
    records = [spotify(ts=at(second)) for second in range(35)] + [spotify("Unknown", ts=at(99))]
    monkeypatch.setattr("jobs.running.REPORT_SECONDS", 0.0)
    data = ContentFile(json.dumps(records), name="my data.json")
    history = services.begin_import(user=user, upload=data, wants_own_songs=False)

    def stop_at_the_first_plays(execute: Any, sql: str, *arguments: Any) -> Any:
        if sql.startswith("INSERT") and "feedback_play" in sql:
            Job.objects.update(is_stop_wanted=True)
        return execute(sql, *arguments)

    with connection.execute_wrapper(stop_at_the_first_plays):
        run_waiting()
    history.refresh_from_db()
    assert (counts(history), history.finished_at) == ((10, 10, 0, 0, 0), None)
    assert Job.objects.get().state == Job.State.STOPPED
    services.continue_import(history=history)
    run_waiting()
    history.refresh_from_db()
    assert counts(history) == (36, 35, 0, 1, 0)
    assert history.finished_at is not None
    with pytest.raises(JobError, match="it has already finished"):
        services.continue_import(history=history)


def test_one_import_at_a_time(user: User) -> None:
    upload = ContentFile(json.dumps([spotify()]), name="a.json")
    services.begin_import(user=user, upload=upload, wants_own_songs=True)
    with pytest.raises(services.ImportBusyError):
        services.begin_import(user=user, upload=upload, wants_own_songs=True)
    services.begin_import(user=UserFactory(), upload=upload, wants_own_songs=True)


def test_an_upload_that_is_gone_is_said(user: User, uploads: Path) -> None:
    services.begin_import(user=user, upload=ContentFile("[]", name="a.json"), wants_own_songs=True)
    for path in uploads.iterdir():
        path.unlink()
    run_waiting()
    assert HistoryImport.objects.get().error_text == "a.json is missing on the server. Please upload it again."


def test_undone_everything_it_brought_is_gone_and_nothing_else(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_job, "CHUNK_ROWS", 2)
    kept_song = make_track("Kept")
    here = Play.objects.create(user=user, track=kept_song)
    records = [spotify(title, ts=at(index)) for index, title in enumerate(["Kept", "Mine", "Liked", "Shared", "Mine"])]
    history = bring(user, records)
    other = bring(UserFactory(), [records[3]])
    liked = Track.objects.get(title="Liked")
    Rating.objects.create(user=user, track=liked, value=1)
    services.undo_import(history=history)
    with pytest.raises(JobError, match="it is still running"):
        services.undo_import(history=history)
    run_waiting()
    assert set(Play.objects.all()) == {here, *other.plays.all()}
    assert set(Track.objects.values_list("title", flat=True)) == {"Kept", "Liked", "Shared"}
    assert list(HistoryImport.objects.all()) == [other]
    assert Job.objects.first().log.strip().endswith("5 plays removed")  # type: ignore[union-attr]
    # And it can come in again.
    assert counts(bring(user, records)) == (5, 5, 0, 0, 0)


def test_a_removed_play_that_is_put_back_is_still_known_to_the_next_import(user: User) -> None:
    make_track("Song")
    history = bring(user, [spotify()])
    removed = remove_play(play=Play.objects.get())
    play = restore_play(user=user, removed=removed)
    assert play.history_import == history
    assert counts(bring(user, [spotify()])) == (1, 0, 1, 0, 0)
    removed = remove_play(play=play)
    assert counts(bring(user, [spotify()])) == (1, 1, 0, 0, 0)
    assert restore_play(user=user, removed=removed) == Play.objects.get()
    removed = remove_play(play=Play.objects.get())
    for history in HistoryImport.objects.all():
        services.undo_import(history=history)
    run_waiting()
    assert restore_play(user=user, removed=removed).history_import is None


def test_a_like_of_the_site_stays_beside_imported_plays(user: User) -> None:
    track = make_track("Song")
    rate(user=user, track=track, value=Rating.Value.LIKE)
    bring(user, [spotify()])
    taste = feedback_of(user)
    assert ([r.track_id for r in taste.ratings], [p.track_id for p in taste.plays]) == ([track.pk], [track.pk])
