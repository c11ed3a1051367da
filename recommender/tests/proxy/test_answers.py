"""What the proxy answers itself, for linked listeners whom the server lets in: in every format, as the schemas say."""

import json
from typing import Any
from xml.etree import ElementTree

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from catalog.models import MusicServer, ServerSong, Track
from catalog.sources.servers.services import read_server
from catalog.sources.subsonic.tests.stand_in import StandIn
from feedback.music_servers.models import ServerAccount
from feedback.playlists.models import Playlist, PlaylistItem
from feedback.ratings.models import Rating
from feedback.ratings.services import rate
from recommender.tests.builders import make_user
from recommender.tests.proxy.server import PASSWORDS, Server, check, login

pytestmark = pytest.mark.django_db


def link(user: User, server: MusicServer, remote_user: str) -> None:
    now = timezone.now()
    names = {"remote_user": remote_user, "confirmed_user": remote_user, "confirmed_key": remote_user}
    ServerAccount.objects.create(user=user, server=server, confirmed_at=now, **names)


@pytest.fixture
def listener(server: Server, proxied: MusicServer) -> User:
    """Link a listener with the account "ada"; the model knows the server's 60 songs."""
    for number in range(60):
        artist = f"Artist {number % 20}"
        server.changes[number] = {
            "artists": [{"id": f"ar-{artist}", "name": artist}],
            "artist": artist, "displayArtist": artist, "artistId": f"ar-{artist}",
            "genres": [{"name": "Folk" if number % 20 < 10 else "Techno"}],
        }  # fmt: skip
    read_server(proxied)
    call_command("retrain", verbosity=0)
    user = make_user("listener")
    link(user, proxied, "ada")
    server.calls.clear()
    return user


def body(client: Client, method: str, **values: Any) -> dict[str, Any]:
    response: Any = client.get(f"/rest/{method}", login(**values))
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return dict(json.loads(content)["subsonic-response"])


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["id"] for row in rows]


def test_similar_songs_are_the_servers_own_and_fit_the_schema(client: Client, server: Server, listener: User) -> None:
    answer = body(client, "getSimilarSongs2", id="so-1", count=8)
    songs = answer["similarSongs2"]["song"]
    assert len(songs) == 8
    assert "so-1" not in ids(songs)
    # As the server describes them, with what only it knows.
    assert songs[0]["playCount"] == 3
    assert {"type": "navidrome", "status": "ok"}.items() <= answer.items()
    check("getSimilarSongs2", {"subsonic-response": answer})
    # Folk leads to folk.
    folk = [song for song in songs if song["genres"] == [{"name": "Folk"}]]
    assert len(folk) >= 6


@pytest.mark.parametrize(
    ("method", "values", "name"),
    [
        ("getSimilarSongs", {"id": "so-1"}, "similarSongs"),
        ("getSimilarSongs2", {"id": "ar-Artist 1"}, "similarSongs2"),
        ("getTopSongs", {"artist": "Artist 3"}, "topSongs"),
    ],
)
def test_other_lists_of_songs(
    client: Client, server: Server, listener: User, method: str, values: dict[str, str], name: str
) -> None:
    answer = body(client, method, **values)
    songs = answer[name]["song"]
    assert len(songs) >= 3
    if method == "getTopSongs":
        assert {song["artist"] for song in songs} == {"Artist 3"}
    check(method, {"subsonic-response": answer})


def test_a_dislike_and_a_block_change_the_next_mix(client: Client, listener: User) -> None:
    before = ids(body(client, "getSimilarSongs2", id="so-1", count=10)["similarSongs2"]["song"])
    disliked = Track.objects.get(server_songs__remote_id=before[0])
    rate(user=listener, track=disliked, value=Rating.Value.DISLIKE)
    after = ids(body(client, "getSimilarSongs2", id="so-1", count=10)["similarSongs2"]["song"])
    assert before[0] not in after
    assert after != before[1:]


def test_sonic_similarity_and_paths(client: Client, server: Server, listener: User) -> None:
    answer = body(client, "getSonicSimilarTracks", id="so-1", count=5)
    matches = answer["sonicMatch"]
    assert len(matches) == 5
    assert all(0 < match["similarity"] < 1 and match["entry"]["id"] != "so-1" for match in matches)
    check("getSonicSimilarTracks", {"subsonic-response": answer})
    path = body(client, "findSonicPath", startSongId="so-1", endSongId="so-15", count=6)
    steps = [match["entry"]["id"] for match in path["sonicMatch"]]
    assert (steps[0], steps[-1], len(steps)) == ("so-1", "so-15", 6)
    check("findSonicPath", {"subsonic-response": path})


def test_extensions_are_the_servers_and_ours(client: Client, server: Server, listener: User) -> None:
    for answer in (
        json.loads(client.get("/rest/getOpenSubsonicExtensions", {"f": "json"}).content)["subsonic-response"],
        body(client, "getOpenSubsonicExtensions"),
    ):
        names = {row["name"]: row["versions"] for row in answer["openSubsonicExtensions"]}
        assert names == {"formPost": [1], "sonicSimilarity": [1]}
        check("getOpenSubsonicExtensions", {"subsonic-response": answer})
    answer = body(client, "getOpenSubsonicExtensions", name="bob")
    assert [row["name"] for row in answer["openSubsonicExtensions"]] == ["formPost"]


def test_xml_and_jsonp_say_the_same(client: Client, listener: User) -> None:
    songs = body(client, "getSimilarSongs2", id="so-1", count=3)["similarSongs2"]["song"]
    xml = client.get("/rest/getSimilarSongs2", login(id="so-1", count=3, f="xml"))
    assert xml["Content-Type"] == "application/xml"
    root = ElementTree.fromstring(xml.content)
    namespace = "{http://subsonic.org/restapi}"
    assert root.attrib["status"] == "ok"
    rows = root.findall(f"{namespace}similarSongs2/{namespace}song")
    assert [row.attrib["id"] for row in rows] == ids(songs)
    assert rows[0].attrib["isDir"] == "false"
    assert [genre.attrib["name"] for genre in rows[0].findall(f"{namespace}genres")] == ["Folk"]
    assert [code.text for code in rows[0].findall(f"{namespace}isrc")] == songs[0]["isrc"]
    script = client.get("/rest/getSimilarSongs2", login(id="so-1", count=3, f="jsonp", callback="take"))
    text = script.content.decode()
    assert ids(json.loads(text.removeprefix("take(").removesuffix(");"))["subsonic-response"]["similarSongs2"]["song"])


def test_unlinked_listeners_get_the_servers_answers(client: Client, server: Server, listener: User) -> None:
    assert ids(body(client, "getSimilarSongs2", name="bob", id="so-1")["similarSongs2"]["song"]) == ["so-0", "so-1"]
    assert [method for _verb, method, _values, _headers in server.calls] == ["getSimilarSongs2"]


def test_a_player_may_write_the_name_in_other_letters(client: Client, server: Server, listener: User) -> None:
    # Another account, for all that is known.
    answer = body(client, "getPlaylists", name="ada", u="ADA")
    assert answer["status"] == "failed"
    server.ignores_case = True
    names = [row["name"] for row in body(client, "getPlaylists", name="ada", u="ADA")["playlists"]["playlist"]]
    assert names == ["Mine there", "For you"]
    server.ignores_case = False
    server.passwords["ADA"] = StandIn.password
    cache.clear()
    # Here it is.
    names = [row["name"] for row in body(client, "getPlaylists", name="ada", u="ADA")["playlists"]["playlist"]]
    assert names == ["Mine there"]


def test_nobody_is_a_listener_without_the_servers_consent(client: Client, server: Server, listener: User) -> None:
    """The server judges the log-in of our own answers too; a good one is trusted for minutes, by its digest alone."""
    answer = body(client, "getSimilarSongs2", password="wrong", id="so-1")
    assert answer["error"]["code"] == 40
    answer = body(client, "getPlaylists", password=PASSWORDS["bob"])
    assert answer["error"]["code"] == 40
    assert "similarSongs2" in body(client, "getSimilarSongs2", id="so-1")
    pings = [method for _verb, method, _values, _headers in server.calls].count("ping")
    assert "similarSongs2" in body(client, "getSimilarSongs2", id="so-2")
    assert [method for _verb, method, _values, _headers in server.calls].count("ping") == pings
    assert login()["t"] not in str(getattr(cache, "_cache", {}))
    # The name in other letters is another name.
    assert body(client, "getPlaylists", name="ada", u="ADA")["error"]["code"] == 40


def test_an_api_key_is_who_the_server_says(client: Client, server: Server, listener: User) -> None:
    response = client.get(
        "/rest/getSonicSimilarTracks", {"apiKey": Server.api_key, "id": "so-1", "f": "json", "c": "x", "v": "1.16.1"}
    )
    assert len(response.json()["subsonic-response"]["sonicMatch"]) == 10


def test_songs_that_are_gone_or_hidden_are_not_among_them(client: Client, server: Server, listener: User) -> None:
    before = ids(body(client, "getSimilarSongs2", id="so-1", count=50)["similarSongs2"]["song"])
    ServerSong.objects.filter(remote_id=before[0]).update(gone_at=timezone.now())
    Track.objects.filter(server_songs__remote_id=before[1]).update(is_active=False)
    after = ids(body(client, "getSimilarSongs2", id="so-1", count=50)["similarSongs2"]["song"])
    assert not {before[0], before[1]} & set(after)


def test_random_songs_are_the_servers_unless_the_operator_wants_ours(
    client: Client, server: Server, listener: User, settings: Settings
) -> None:
    assert ids(body(client, "getRandomSongs", size=5)["randomSongs"]["song"]) == ["so-0", "so-1"]
    settings.PROXY_RANDOM_SONGS = True
    answer = body(client, "getRandomSongs", size=5, genre="folk")
    songs = answer["randomSongs"]["song"]
    assert len(songs) == 5
    assert all(song["genres"] == [{"name": "Folk"}] for song in songs)
    check("getRandomSongs", {"subsonic-response": answer})


def test_recommended_albums(client: Client, server: Server, listener: User) -> None:
    answer = body(client, "getAlbumList2", type="recommended", size=3)
    assert len(answer["albumList2"]["album"]) == 3
    check("getAlbumList2", {"subsonic-response": answer})
    usual = body(client, "getAlbumList2", type="newest", size=3)
    assert ids(usual["albumList2"]["album"]) == ["al-0", "al-1", "al-2"]


def test_what_the_model_does_not_know_is_the_servers_to_answer(client: Client, server: Server, listener: User) -> None:
    assert ids(body(client, "getSimilarSongs2", id="so-999")["similarSongs2"]["song"]) == ["so-0", "so-1"]
    assert body(client, "getSonicSimilarTracks", id="so-999")["error"]["code"] == 70


def test_playlists_of_the_site_are_among_the_servers(client: Client, server: Server, listener: User) -> None:
    playlist = Playlist.objects.create(owner=listener, name="Sunday <3")
    other = Playlist.objects.create(owner=make_user("other"), name="Not mine")
    tracks = list(Track.objects.filter(server_songs__remote_id__in=["so-4", "so-5", "so-6"]).order_by("pk"))
    for position, track in enumerate(tracks):
        PlaylistItem.objects.create(playlist=playlist, track=track, position=position)
    ServerSong.objects.filter(remote_id="so-5").update(gone_at=timezone.now())
    answer = body(client, "getPlaylists")
    rows = answer["playlists"]["playlist"]
    assert [row["name"] for row in rows] == ["Mine there", "For you", "Sunday <3"]
    assert rows[2]["songCount"] == 2
    check("getPlaylists", {"subsonic-response": answer})
    one_list = body(client, "getPlaylist", id=rows[2]["id"])
    assert ids(one_list["playlist"]["entry"]) == ["so-4", "so-6"]
    check("getPlaylist", {"subsonic-response": one_list})
    for_you = body(client, "getPlaylist", id="earworm-for-you")["playlist"]["entry"]
    assert len(for_you) >= 20
    assert (rows[1]["songCount"], rows[1]["duration"]) == (len(for_you), sum(song["duration"] for song in for_you))
    assert body(client, "getPlaylist", id=f"earworm-{other.pk}")["error"]["code"] == 70
    for method in ("updatePlaylist", "deletePlaylist", "createPlaylist"):
        refused = body(client, method, playlistId=rows[2]["id"], id=rows[2]["id"])
        assert refused["error"]["code"] == 50
    assert Playlist.objects.count() == 2
    # Another account's playlists are its own.
    assert ids(body(client, "getPlaylists", name="bob")["playlists"]["playlist"]) == ["pl-1"]
