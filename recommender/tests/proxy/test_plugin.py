"""The three calls of AudioMuse's plug-in for Navidrome: one token per server, the same answers for everybody."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from catalog.models import MusicServer, ServerSong
from recommender.tests.proxy.test_answers import listener  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("listener")]


@pytest.fixture
def token(proxied: MusicServer, capsys: pytest.CaptureFixture[str]) -> str:
    call_command("plugin_token", proxied.address)
    return capsys.readouterr().out.strip().splitlines()[-1].strip()


def ask(client: Client, call: str, token: str, **values: Any) -> Any:
    response = client.get(f"/navidrome/api/{call}", values, headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 200
    return response.json()


def test_similar_tracks(client: Client, token: str) -> None:
    rows = ask(client, "similar_tracks", token, item_id="so-1", n=7, eliminate_duplicates="true")
    assert len(rows) == 7
    assert set(rows[0]) == {"item_id", "title", "author", "album", "distance"}
    assert all(0.0 <= row["distance"] <= 1.0 and row["item_id"] != "so-1" for row in rows)
    assert [row["distance"] for row in rows] == sorted(row["distance"] for row in rows)
    by_name = ask(client, "similar_tracks", token, title="Song 1", artist="Artist 1", n=7)
    assert by_name == rows


def test_a_path(client: Client, token: str) -> None:
    path = ask(client, "find_path", token, start_song_id="so-1", end_song_id="so-15", max_steps=6)["path"]
    assert [path[0]["item_id"], path[-1]["item_id"], len(path)] == ["so-1", "so-15", 6]


def test_similar_artists_by_the_servers_id_or_by_name(client: Client, server: Any, token: str) -> None:
    rows = ask(client, "similar_artists", token, artist="Artist 1", n=4, include_component_matches="true")
    assert len(rows) == 4
    assert "Artist 1" not in [row["artist"] for row in rows]
    match = rows[0]["component_matches"][0]
    assert match["artist1_representative_songs"][0]["title"].startswith("Song ")
    assert match["artist2_representative_songs"][0]["item_id"].startswith("so-")
    assert ask(client, "similar_artists", token, artist="ar-Artist 1", n=4) == [
        {"artist": row["artist"], "artist_id": row["artist_id"], "component_matches": []} for row in rows
    ]
    assert rows[0]["artist_id"] == f"ar-{rows[0]['artist']}"


@pytest.mark.parametrize(
    ("call", "values", "empty"),
    [
        ("similar_tracks", {"item_id": "nothing"}, []),
        ("similar_tracks", {}, []),
        ("similar_tracks", {"title": "Song 1", "artist": "Nobody"}, []),
        ("find_path", {"start_song_id": "so-1", "end_song_id": "no"}, {"path": []}),
        ("similar_artists", {"artist": "Nobody"}, []),
    ],
)
def test_what_is_not_known_is_an_empty_list(
    client: Client, token: str, call: str, values: dict[str, str], empty: Any
) -> None:
    assert ask(client, call, token, **values) == empty


def test_songs_that_are_gone_are_not_named(client: Client, token: str) -> None:
    [first, *_rest] = ask(client, "similar_tracks", token, item_id="so-1", n=5)
    ServerSong.objects.filter(remote_id=first["item_id"]).delete()
    again = ask(client, "similar_tracks", token, item_id="so-1", n=5)
    assert first["item_id"] not in [row["item_id"] for row in again]


def test_only_the_token_opens_it_and_only_its_digest_is_stored(
    client: Client, proxied: MusicServer, token: str
) -> None:
    proxied.refresh_from_db()
    assert token not in proxied.plugin_digest
    assert len(proxied.plugin_digest) == 64
    for header in ("", "Bearer", f"Token {token}", f"Bearer {token}x", f"Bearer {proxied.plugin_digest}"):
        response = client.get("/navidrome/api/similar_tracks", {"item_id": "so-1"}, headers={"Authorization": header})
        assert response.status_code == 401
    call_command("plugin_token", proxied.address, "--revoke")
    for text in (token, ""):
        headers = {"Authorization": f"Bearer {text}"}
        assert client.get("/navidrome/api/similar_tracks", headers=headers).status_code == 401
    with pytest.raises(CommandError, match="isn't connected"):
        call_command("plugin_token", "http://elsewhere")
