"""Names and texts as exports carry them: entities, encodings, channels of YouTube, words for nothing, zones."""

import io
import json
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from pytest_django import Settings

from accounts.models import User
from feedback.history_import import services
from feedback.history_import.models import HistoryImport
from feedback.history_import.notes import told_notes
from feedback.history_import.reading.encodings import encoding_for
from feedback.history_import.reading.headings import columns_of
from feedback.history_import.reading.times import Times
from feedback.history_import.tests.histories import listen, spotify
from feedback.history_import.tests.test_formats import play
from feedback.plays.models import Play
from feedback.plays.spellings import are_one_song
from jobs.tests.helpers import run_waiting

AT = 1_714_816_800


def bring(user: User, content: bytes | str, name: str = "my data.csv") -> HistoryImport:
    data = content.encode() if isinstance(content, str) else content
    history = services.begin_import(user=user, upload=ContentFile(data, name=name), wants_own_songs=True)
    run_waiting()
    history.refresh_from_db()
    return history


@pytest.fixture(autouse=True)
def _own_uploads(tmp_path: Path, settings: Settings) -> None:
    settings.VAR_DIR = tmp_path


@pytest.mark.django_db
def test_html_entities_are_decoded(user: User) -> None:
    bring(
        user, "artist,album,track,uts\nSimon &amp; Garfunkel,B&eacute;b&eacute;,Don&#39;t &quot;Go&quot;,1714816800\n"
    )
    song = Play.objects.get().track
    assert (song.title, song.artist_names, song.album) == ('Don\'t "Go"', "Simon & Garfunkel", "Bébé")
    bring(user, json.dumps(listen('Don\'t "Go"', "Simon & Garfunkel", at=AT)))
    bring(user, json.dumps([spotify("A &x B & C", "R&B;", ts="2024-05-05T10:00:00Z")]))
    assert [play.track.title for play in Play.objects.order_by("played_at")] == ['Don\'t "Go"', "A &x B & C"]


@pytest.mark.parametrize(
    ("names", "encoding"),
    [
        ("Łąki Łan,Żółw", "cp1250"), ("Zażółć gęślą,jaźń", "iso8859_2"), ("宇多田ヒカル,初恋の夜", "cp932"),
        ("スピッツ,ロビンソン", "cp932"), ("Beyoncé,Déjà Vu", "mac_roman"), ("Mötley Crüe,Über", "mac_roman"),
        ("Béatrice,Déjà Vu", "mac_roman"), ("Someone,E=mc²", "cp1252"),
        ("Sigur Rós,Ágætis byrjun", "cp1252"), ("Björk,Jóga", "cp1252"), ("L\u2019Été,“Ænima” \u2013 MØ", "cp1252"),
        ("Кино,Кукушка", "cp1251"), ("Sigur Rós,Ágætis byrjun", "utf-8"),
    ],
)  # fmt: skip
def test_encodings_are_told_by_what_makes_sense(names: str, encoding: str) -> None:
    assert encoding_for(f"artist,track,date\n{names},2024-05-04 10:00\n".encode(encoding)) == encoding


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("names", "encoding", "shown"),
    [("Łąki Łan,Żółw", "cp1250", "Windows-1250"), ("スピッツ,ロビンソン", "cp932", "Shift-JIS")],
)
def test_a_table_in_another_encoding_is_read_with_a_note(user: User, names: str, encoding: str, shown: str) -> None:
    history = bring(user, f"artist,track,date\n{names},2024-05-04 10:00:00\n".encode(encoding))
    song = Play.objects.get().track
    assert f"{song.artist_names},{song.title}" == names
    assert told_notes(history) == [
        f"my data.csv isn't UTF-8 text, so it was read as {shown}. If letters look wrong, save it as UTF-8."
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("names", "encoding"),
    [("あいみょん,マリーゴールド", "euc_jp"), ("方大同,爱爱爱", "gbk"), ("방탄소년단,봄날", "cp949")],
)
def test_a_table_that_no_encoding_makes_sense_of_is_refused(user: User, names: str, encoding: str) -> None:
    history = bring(user, f"artist,track,date\n{names},2024-05-04 10:00:00\n".encode(encoding))
    assert history.error_text == "my data.csv isn't UTF-8 text. Save it as UTF-8 and try again."
    assert not Play.objects.exists()


@pytest.mark.parametrize(
    ("title", "other", "are_one"),
    [
        ("Rock & Roll", "Rock and Roll", True), ("Rock 'n' Roll", "Rock & Roll", True),
        ("Story, Part 2", "Story, Pt. 2", True), ("Story (Part II)", "Story (Pt. 2)", True),
        ("Story, Part 2", "Story, Part 3", False), ("Story Pt. 1", "Story", False), ("Sand", "S&", False),
    ],
)  # fmt: skip
def test_spellings_of_titles(title: str, other: str, are_one: bool) -> None:
    assert are_one_song(title, "Someone", other, "Someone") is are_one


def watched(title: str, channel: str) -> str:
    record: dict[str, Any] = {"header": "YouTube Music", "title": f"Watched {title}", "titleUrl": "https://x",
                              "time": "2024-05-04T10:00:00Z", "subtitles": [{"name": channel}]}  # fmt: skip
    return json.dumps([record])


@pytest.mark.parametrize(
    ("title", "channel", "song", "artist"),
    [
        ("Band - Song Two (Official Video)", "BandVEVO", "Song Two", "Band"),
        ("The Band \u2013 Song Two [Official Music Video]", "TheBandVEVO", "Song Two", "The Band"),
        ("Band - Song Two", "Band Official", "Song Two", "Band"),
        ("Band - Song - Live (Lyric Video)", "Band - Topic", "Song - Live", "Band"),
        ("Band: Song Two (Live in Rome)", "Band", "Song Two (Live in Rome)", "Band"),
        ("Song Two (Official Video)", "BandVEVO", "Song Two", "Band"),
        ("Other - Song Two (Official Video)", "A Label", "Other - Song Two (Official Video)", "A Label"),
        ("Song Two", "Band - Topic", "Song Two", "Band"),
    ],
)
def test_videos_of_an_artists_channel(title: str, channel: str, song: str, artist: str) -> None:
    row = play(watched(title, channel))
    assert (row.title, row.artists) == (song, (artist,))


@pytest.mark.django_db
def test_a_title_that_only_says_that_there_is_none_is_no_song(user: User) -> None:
    history = bring(user, "artist,track,uts\nSomeone,nan,1714816800\nSomeone,None,1714816900\n")
    assert [play.track.title for play in Play.objects.all()] == ["None"]
    assert history.skipped == {"has no song": 1}


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2024-05-04T06:00:00 America/New_York", AT), ("2024-05-04 12:00:00 Europe/Berlin", AT),
        ("2024-05-04T12:00:00+02:00[Europe/Berlin]", AT), ("2024-05-04T10:00:00Z[Etc/UTC]", AT),
        ("04.05.2024 12:00:00 (Europe/Berlin)", AT), ("2024-05-04T10:00:00 Nowhere/City", None),
    ],
)  # fmt: skip
def test_zones_by_their_places(text: str, at: int | None) -> None:
    assert Times().read(text) == at


@pytest.mark.django_db
def test_a_zip_that_holds_only_a_zip_says_so(user: User) -> None:
    outer, inner = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("history.json", json.dumps([spotify()]))
    with zipfile.ZipFile(outer, "w") as archive:
        archive.writestr("my_data.zip", inner.getvalue())
        archive.writestr("readme.pdf", "x")
    assert bring(user, outer.getvalue(), "all.zip").error_text == (
        "all.zip contains another archive and no listening history beside it. "
        "Unpack it first and upload what is inside."
    )


@pytest.mark.parametrize("sign", [" ", "(hd ", "- ", "(", "a/"])
def test_long_texts_take_no_time(sign: str) -> None:
    text = "Band" + sign * 100_000
    started = time.monotonic()
    play(watched(f"{text}x", "Band"))
    assert Times().read(f"2024-05-04T10:00:00 {text}") == AT
    assert columns_of([f"played at (utc{text}"]) == {}
    assert time.monotonic() - started < 5
