"""Playlists as files."""

import csv
import json
from io import StringIO
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from feedback.playlists import services
from feedback.playlists.models import Playlist
from feedback.tests.factories import make_track

SPOTIFY_ID = "4uLU6hMCjMI75M1A2tKUQC"
MBID = "b1a9c0e9-d987-4042-ae91-78d6a3267d69"


@pytest.fixture
def playlist(user: User) -> Playlist:
    tracks = [
        make_track(
            "Étude", artist="Chopin", album="Études", duration_ms=187_600, preview_url="https://p.example/1.mp3"
        ),
        make_track("On Spotify", artist="Somebody", spotify_id=SPOTIFY_ID, mbid=MBID, duration_ms=1000),
        make_track("Two\nlines", artist="=1+1"),
    ]
    return services.create_playlist(owner=user, name="Für Élise, laut!", tracks=tracks)


def fetch(client: Client, playlist: Playlist, kind: str) -> Any:
    return client.get(f"/playlists/{playlist.pk}.{kind}")


def here(playlist: Playlist, index: int) -> str:
    return f"http://testserver/songs/{playlist.items.order_by('position')[index].track_id}/"


def test_m3u(listener: Client, playlist: Playlist) -> None:
    answer = fetch(listener, playlist, "m3u")
    assert answer["Content-Type"] == "audio/x-mpegurl; charset=utf-8"
    assert answer["Content-Disposition"] == "attachment; filename*=utf-8''f%C3%BCr-%C3%A9lise-laut.m3u8"
    assert answer.content.decode().splitlines() == [
        "#EXTM3U",
        "#PLAYLIST:Für Élise, laut!",
        "#EXTINF:188,Chopin - Étude",
        "https://p.example/1.mp3",
        "#EXTINF:1,Somebody - On Spotify",
        f"https://open.spotify.com/track/{SPOTIFY_ID}",
        "#EXTINF:-1,=1+1 - Two lines",
        here(playlist, 2),
    ]


def test_jspf(listener: Client, playlist: Playlist, user: User) -> None:
    answer = fetch(listener, playlist, "jspf")
    assert answer["Content-Type"] == "application/jspf+json; charset=utf-8"
    content = json.loads(answer.content)["playlist"]
    assert (content["title"], content["creator"]) == ("Für Élise, laut!", user.username)
    assert content["date"] == playlist.updated_at.isoformat(timespec="seconds")
    assert content["track"] == [
        {
            "location": ["https://p.example/1.mp3"],
            "title": "Étude",
            "creator": "Chopin",
            "album": "Études",
            "duration": 187_600,
            "info": here(playlist, 0),
        },
        {
            "identifier": [
                f"https://musicbrainz.org/recording/{MBID}",
                f"https://open.spotify.com/track/{SPOTIFY_ID}",
            ],
            "title": "On Spotify",
            "creator": "Somebody",
            "duration": 1000,
            "info": here(playlist, 1),
        },
        {"title": "Two\nlines", "creator": "=1+1", "info": here(playlist, 2)},
    ]


def test_csv(listener: Client, playlist: Playlist) -> None:
    answer = fetch(listener, playlist, "csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.reader(StringIO(b"".join(answer).decode(), newline="")))
    assert rows == [
        ["title", "artists", "album", "duration_ms", "spotify_id", "url"],
        ["Étude", "Chopin", "Études", "187600", "", here(playlist, 0)],
        ["On Spotify", "Somebody", "", "1000", SPOTIFY_ID, f"https://open.spotify.com/track/{SPOTIFY_ID}"],
        ["Two\nlines", "'=1+1", "", "", "", here(playlist, 2)],
    ]


def test_an_id_that_is_not_of_spotify_is_not_in_the_csv(listener: Client, user: User) -> None:
    invented = make_track("Invented", artist="Nobody", spotify_id="demo" + "1" * 18)
    listed = services.create_playlist(owner=user, name="Invented", tracks=[invented])
    rows = list(csv.DictReader(StringIO(b"".join(fetch(listener, listed, "csv")).decode(), newline="")))
    assert [row["spotify_id"] for row in rows] == [""]


def test_an_empty_playlist_and_a_name_without_letters(listener: Client, user: User) -> None:
    empty = services.create_playlist(owner=user, name="!!!")
    answer = fetch(listener, empty, "m3u")
    assert answer["Content-Disposition"] == 'attachment; filename="playlist.m3u8"'
    assert answer.content.decode() == "#EXTM3U\n#PLAYLIST:!!!\n"
    assert json.loads(fetch(listener, empty, "jspf").content)["playlist"]["track"] == []
    assert listener.get(f"/playlists/{empty.pk}.txt").status_code == 404
