"""Songs of a folder: their tags in the catalogue, their files in the player."""

import os
import shutil
import subprocess
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from tinytag import TinyTag

from accounts.models import User
from catalog.models import Artist, MusicServer, ServerSong, Track
from catalog.sources.folders.tests.music import PNG, flac, mp3, wav
from catalog.sources.servers.services import set_server_active
from catalog.sources.sound.ffmpeg import has_ffmpeg
from catalog.sources.sound.selectors import file_url
from catalog.tests.factories import make_track
from conftest import missing
from jobs.models import Job
from jobs.services import enqueue
from jobs.tests.helpers import run_waiting

pytestmark = pytest.mark.django_db
MBIDS = [f"0a1b2c3d-0000-4000-8000-00000000000{n}" for n in range(4)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "music"
    (root / "The Testers" / "First").mkdir(parents=True)
    return root


def imported(folder: Path) -> str:
    out = StringIO()
    call_command("import_music", str(folder), stdout=out)
    return out.getvalue().removeprefix(f"{folder}: ").strip()


def test_the_tags_of_a_flac_are_a_song(folder: Path) -> None:
    tags: dict[str, Any] = {
        "TITLE": "Våren", "ARTIST": "The Testers feat. Åsa", "ARTISTS": ["The Testers", "Åsa"], "ALBUM": "First",
        "DATE": "2011-03-04", "GENRE": ["Folk", "Dream Pop"], "ISRC": "SE-ABC-11-00001",
        "MUSICBRAINZ_TRACKID": MBIDS[0], "MUSICBRAINZ_ALBUMID": MBIDS[1],
        "MUSICBRAINZ_ARTISTID": [MBIDS[2], MBIDS[3]],
    }  # fmt: skip
    (folder / "The Testers" / "First" / "01 Våren.flac").write_bytes(flac(200, **tags))
    assert imported(folder) == "1 songs read: 1 new, 0 already in the catalogue, 0 changed, 0 unchanged, 0 gone."
    track = Track.objects.get()
    assert (track.title, track.artist_names, track.album) == ("Våren", "The Testers, Åsa", "First")
    assert (track.release_year, track.duration_ms) == (2011, 200_000)
    assert (track.isrc, track.mbid, track.origin, track.has_file) == ("SEABC1100001", MBIDS[0], "server", True)
    assert sorted(track.genres.values_list("name", flat=True)) == ["dream pop", "folk"]
    assert dict(Artist.objects.values_list("name", "mbid")) == {"The Testers": MBIDS[2], "Åsa": MBIDS[3]}
    song = track.server_songs.get()
    assert (song.path, song.suffix) == ("The%20Testers/First/01%20V%C3%A5ren.flac", "flac")
    assert song.release_mbid == MBIDS[1]


def test_the_tags_of_an_mp3_are_a_song_of_the_catalogue(folder: Path) -> None:
    known = make_track("Creep", "Radiohead", duration_ms=5200)
    tags = {"TIT2": "Creep", "TPE1": "Radiohead", "TDRC": "1992", "TSRC": "GBAYE9200070", "UFID": MBIDS[0]}
    (folder / "creep.mp3").write_bytes(mp3(200, MusicBrainz_Album_Id=MBIDS[1], **tags))
    assert "0 new, 1 already in the catalogue" in imported(folder)
    known.refresh_from_db()
    assert (known.isrc, known.mbid, known.release_year, known.has_file) == ("GBAYE9200070", MBIDS[0], 1992, True)
    assert known.server_songs.get().release_mbid == MBIDS[1]


def test_a_file_without_tags_is_known_by_its_name(folder: Path) -> None:
    (folder / "07 - Blue Monday.mp3").write_bytes(mp3())
    imported(folder)
    track = Track.objects.get()
    assert (track.title, track.artist_names, track.duration_ms) == ("07 - Blue Monday", "", 5224)


def test_only_what_has_changed_is_opened_again(folder: Path) -> None:
    for number in range(3):
        (folder / f"{number}.flac").write_bytes(flac(TITLE=f"Song {number}", ARTIST="A"))
    imported(folder)
    for file in folder.glob("*.flac"):
        status = file.stat()
        # As long as before, at the same time: it isn't looked into.
        file.write_bytes(b"\0" * status.st_size)
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert "0 new, 0 already in the catalogue, 0 changed, 3 unchanged, 0 gone" in imported(folder)
    (folder / "0.flac").write_bytes(flac(TITLE="Better title", ARTIST="A"))
    (folder / "1.flac").unlink()
    (folder / "2.flac").rename(folder / "moved.flac")
    report = imported(folder)
    assert report == (
        "1 songs read: 0 new, 0 already in the catalogue, 1 changed, 0 unchanged, 2 gone, 1 files that can't be read "
        "(moved.flac)."
    )
    assert sorted(Track.objects.values_list("title", "has_file")) == [
        ("Better title", True), ("Song 1", False), ("Song 2", False),
    ]  # fmt: skip


def test_a_moved_file_is_the_same_song(folder: Path) -> None:
    (folder / "a.flac").write_bytes(flac(TITLE="Song", ARTIST="A", MUSICBRAINZ_TRACKID=MBIDS[0]))
    imported(folder)
    (folder / "a.flac").rename(folder / "b.flac")
    assert "0 new, 1 already in the catalogue, 0 changed, 0 unchanged, 1 gone" in imported(folder)
    assert Track.objects.get().has_file


def test_some_of_many_files_that_are_none_are_named(folder: Path) -> None:
    for number in range(12):
        (folder / f"{number:02}\n.mp3").write_bytes(b"")
    (folder / os.fsdecode(b"00\xff.mp3")).write_bytes(b"")
    report = imported(folder)
    assert report.endswith(
        "(00\ufffd.mp3, 00\ufffd.mp3, 01\ufffd.mp3, " + ", ".join(f"{n:02}\ufffd.mp3" for n in range(2, 9)) + ", …)."
    )
    assert "13 files that can't be read (" in report
    assert "\n" not in report


def test_no_name_is_not_the_open_folder() -> None:
    with pytest.raises(CommandError, match="folder: must not be empty"):
        call_command("import_music", "")
    assert not MusicServer.objects.exists()


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 5000, b"#EXTM3U\nhttp://127.0.0.1/x.mp3\n", flac()[:20], b"ID3\4\0\0"]
)
def test_files_that_are_none_are_counted(folder: Path, content: bytes) -> None:
    (folder / "ok.flac").write_bytes(flac(TITLE="Song", ARTIST="A"))
    (folder / "sub").mkdir()
    (folder / "sub" / "bad.flac").write_bytes(content)
    assert imported(folder).endswith("1 files that can't be read (sub/bad.flac).")
    assert Track.objects.count() == 1


def test_a_header_that_claims_too_long_a_song_is_not_believed(folder: Path) -> None:
    (folder / "long.wav").write_bytes(wav(16_000 * 20_000))
    imported(folder)
    assert Track.objects.get().duration_ms is None


def test_names_in_any_encoding_are_read_and_played(folder: Path, client: Client) -> None:
    (folder / os.fsdecode(b"caf\xe9 100%.flac")).write_bytes(flac(ARTIST="A"))
    imported(folder)
    assert Track.objects.get().title == "caf\ufffd 100%"
    client.force_login(User.objects.create_user("ada"))
    answer = client.get(f"/songs/{Track.objects.get().pk}/file", headers={"Range": "bytes=0-3"})
    assert (answer.status_code, answer.content) == (206, b"fLaC")


def test_hidden_files_and_links_are_passed_over(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.flac").write_bytes(flac(TITLE="Outside", ARTIST="A"))
    (folder / "link.flac").symlink_to(tmp_path / "outside.flac")
    (folder / "loop").symlink_to(folder)
    (folder / ".hidden.flac").write_bytes(flac(TITLE="Hidden", ARTIST="A"))
    (folder / "notes.txt").write_bytes(flac(TITLE="Text", ARTIST="A"))
    (folder / "in.FLAC").write_bytes(flac(TITLE="Inside", ARTIST="A"))
    imported(folder)
    assert [track.title for track in Track.objects.all()] == ["Inside"]


def test_a_folder_that_cannot_be_read_has_lost_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a.flac").write_bytes(flac(TITLE="A", ARTIST="A"))
    (folder / "The Testers" / "b.flac").write_bytes(flac(TITLE="B", ARTIST="A"))
    imported(folder)
    scandir = os.scandir

    def refuse(path: bytes) -> Any:
        if path.endswith(b"The Testers"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(CommandError, match=r"The Testers: can't be read \(Permission denied\), 1 in all"):
        imported(folder)
    monkeypatch.undo()
    shutil.rmtree(folder)
    with pytest.raises(CommandError, match="isn't a folder"):
        imported(folder)
    folder.mkdir()
    with pytest.raises(CommandError, match="has no songs any more, 2 before"):
        imported(folder)
    assert ServerSong.objects.filter(gone_at=None).count() == 2
    assert "no songs any more" in MusicServer.objects.get().error


def test_the_job_reads_folders_too(folder: Path) -> None:
    (folder / "a.flac").write_bytes(flac(TITLE="A", ARTIST="A"))
    imported(folder)
    (folder / "b.flac").write_bytes(flac(TITLE="B", ARTIST="A"))
    enqueue(kind="read-servers", subject="now")
    run_waiting()
    assert "2 songs read: 1 new" in Job.objects.get(subject="now").log


@pytest.fixture
def song(folder: Path, client: Client) -> ServerSong:
    (folder / "a.flac").write_bytes(flac(TITLE="A", ARTIST="A", picture=PNG) + b"x" * 300_000)
    imported(folder)
    client.force_login(User.objects.create_user("ada"))
    return ServerSong.objects.select_related("track").get()


def get(client: Client, song: ServerSong, text: str = "bytes=0-") -> Any:
    return client.get(f"/songs/{song.track_id}/file", headers={"Range": text})


def test_a_file_is_played_in_pieces_with_its_cover(song: ServerSong, client: Client, folder: Path) -> None:
    content = (folder / "a.flac").read_bytes()
    answer = get(client, song)
    assert (answer.status_code, answer["Content-Type"], answer.content) == (206, "audio/flac", content[:262_144])
    answer = get(client, song, f"bytes={len(content) - 5}-")
    assert (answer["Content-Range"], answer.content) == (
        f"bytes {len(content) - 5}-{len(content) - 1}/{len(content)}",
        b"x" * 5,
    )
    assert get(client, song, f"bytes={len(content)}-").status_code == 416
    cover = client.get(f"/songs/{song.track_id}/cover")
    assert (cover.status_code, cover["Content-Type"], cover.content) == (200, "image/png", PNG)


def test_the_picture_beside_is_the_cover_where_the_file_has_none(
    song: ServerSong, client: Client, folder: Path
) -> None:
    (folder / "a.flac").write_bytes(flac(TITLE="A", ARTIST="A", picture=b"<svg onload=alert(1)>"))
    address = f"/songs/{song.track_id}/cover"
    assert client.get(address).status_code == 404
    (folder / "cover.jpg").write_bytes(b"<html>")
    assert client.get(address).status_code == 404
    (folder / "cover.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    assert client.get(address)["Content-Type"] == "image/jpeg"
    (folder / "cover.jpg").unlink()
    (folder / "cover.jpg").symlink_to("/etc/hostname")
    assert client.get(address).status_code == 404


@pytest.mark.parametrize(
    "path",
    ["../secret.flac", "%2e%2e/secret.flac", "/etc/passwd", "a.flac%00", "sub/../../secret.flac", "missing.flac", ""],
)
def test_nothing_outside_the_folder_is_opened(song: ServerSong, client: Client, folder: Path, path: str) -> None:
    (folder.parent / "secret.flac").write_bytes(flac())
    ServerSong.objects.update(path=path)
    assert get(client, song).status_code == 502
    assert client.get(f"/songs/{song.track_id}/cover").status_code == 404


def test_a_file_that_has_become_a_link_is_not_opened(song: ServerSong, client: Client, folder: Path) -> None:
    (folder.parent / "secret.flac").write_bytes(flac())
    (folder / "a.flac").unlink()
    (folder / "a.flac").symlink_to(folder.parent / "secret.flac")
    assert get(client, song).status_code == 502


@pytest.mark.parametrize(("header", "before"), [("X-Accel-Redirect", "/_music"), ("X-Sendfile", "")])
def test_the_web_server_sends_files_itself_if_it_is_set_up_for_that(
    folder: Path, client: Client, settings: Any, header: str, before: str
) -> None:
    (folder / "a 100%.flac").write_bytes(flac(TITLE="A", ARTIST="A"))
    imported(folder)
    song = ServerSong.objects.get()
    settings.MUSIC_SENDFILE = header
    address = f"/songs/{song.track_id}/file"
    assert header not in client.get(address)
    client.force_login(User.objects.create_user("ada"))
    answer = client.get(address)
    path = f"{folder}/a 100%.flac" if header == "X-Sendfile" else f"{folder}/a%20100%25.flac"
    assert (answer.status_code, answer[header], answer.content) == (200, before + path, b"")
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("audio/flac", "nosniff")
    ServerSong.objects.update(path="../secret.flac")
    assert client.get(address).status_code == 502


def test_a_folders_file_that_no_browser_plays_is_no_means_without_ffmpeg(
    song: ServerSong, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ServerSong.objects.update(suffix="wma")
    monkeypatch.setenv("PATH", "/nowhere")
    has_ffmpeg.cache_clear()
    assert file_url(song.track) == ""
    assert get(client, song).status_code == 404
    has_ffmpeg.cache_clear()


@pytest.mark.parametrize(("suffix", "codec"), [("wma", "wmav2"), ("aiff", "pcm_s16be")])
@pytest.mark.parametrize("header", ["", "X-Accel-Redirect"])
def test_ffmpeg_makes_an_mp3_of_a_folders_file_that_no_browser_plays(
    folder: Path, client: Client, settings: Any, suffix: str, codec: str, header: str
) -> None:
    if not has_ffmpeg():
        missing("no ffmpeg on this machine", required_by="REQUIRE_SOUND")
    settings.VAR_DIR, settings.MUSIC_SENDFILE = folder.parent, header
    tone = ["-f", "lavfi", "-i", "sine=d=3", "-c:a", codec, "-metadata", "title=A", "-metadata", "artist=B"]
    subprocess.run(["ffmpeg", "-v", "error", *tone, str(folder / f"a.{suffix}")], check=True)
    imported(folder)
    song = ServerSong.objects.select_related("track").get()
    assert file_url(song.track) == f"/songs/{song.track_id}/file?format=mp3"
    client.force_login(User.objects.create_user("ada"))
    answer = client.get(file_url(song.track), headers={"Range": "bytes=0-"})
    assert (answer.status_code, answer["Content-Type"]) == (206, "audio/mpeg")
    [made] = (folder.parent / "transcoded").iterdir()
    assert made.read_bytes() == answer.content
    assert (TinyTag.get(made).duration or 0) == pytest.approx(3, abs=0.2)
    # What only claims to be music is no MP3, and nothing stays of it.
    (folder / f"a.{suffix}").write_bytes(b"#EXTM3U\nhttp://127.0.0.1:1/a.ts\n")
    made.unlink()
    assert client.get(file_url(song.track), headers={"Range": "bytes=0-"}).status_code == 502
    assert list((folder.parent / "transcoded").iterdir()) == []


@pytest.mark.parametrize(
    ("tags", "gain"),
    [
        ({"REPLAYGAIN_TRACK_GAIN": "-6.48 dB"}, -6.48),
        ({"REPLAYGAIN_TRACK_GAIN": "+3.2 dB", "REPLAYGAIN_ALBUM_GAIN": "-9 dB"}, 3.2),
        ({"R128_TRACK_GAIN": "-1536"}, -1.0),
        ({"REPLAYGAIN_TRACK_GAIN": "loud", "R128_TRACK_GAIN": "x"}, None),
        ({"REPLAYGAIN_TRACK_GAIN": "99999 dB"}, None),
        ({"REPLAYGAIN_ALBUM_GAIN": "-9 dB"}, None),
    ],
)
def test_the_gain_of_the_tags_is_told_to_the_player(
    folder: Path, client: Client, tags: dict[str, Any], gain: float | None
) -> None:
    (folder / "a.flac").write_bytes(flac(TITLE="A", ARTIST="A", **tags))
    imported(folder)
    song = ServerSong.objects.get()
    assert song.gain_db == gain
    client.force_login(User.objects.create_user("ada"))
    client.post("/player/play/", {"track": song.track_id})
    assert client.get("/player/state/").json()["current"]["track"]["gain_db"] == gain


def test_a_folder_switched_off_is_played_from_no_more(song: ServerSong, client: Client, folder: Path) -> None:
    set_server_active(server=MusicServer.objects.get(), is_active=False)
    assert get(client, song).status_code == 404
    imported(folder)
    assert get(client, song).status_code == 206


def test_what_cannot_be_a_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "file", tmp_path / "nothing"):
        with pytest.raises(CommandError, match="isn't a folder"):
            imported(path)
    assert not MusicServer.objects.exists()
