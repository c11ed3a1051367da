"""Walking through all songs of a server: by an empty search, as OpenSubsonic has it, else album by album."""

from collections.abc import Iterator
from typing import Any

from catalog.sources.library.songs import SourceSong, clean_mbid
from catalog.sources.subsonic.client import Parameters, SubsonicClient
from catalog.sources.subsonic.parsing import remote_id, rows_of, song_of

PAGE = 500
# No library is larger; a server that sends the same page again and again comes to an end here.
MAX_ROWS = 2_000_000
_SEARCH: Parameters = {"query": "", "albumCount": 0, "artistCount": 0}


def walk(client: SubsonicClient) -> Iterator[list[SourceSong]]:
    """Yield the songs in batches of at most some hundred. Raise ``SubsonicError``."""
    has_any = False
    for batch in _by_search(client):
        has_any = True
        yield batch
    if not has_any:
        yield from _by_albums(client)


def walk_rows(client: SubsonicClient) -> Iterator[dict[str, Any]]:
    """Yield all songs as the server describes them to the account. Raise ``SubsonicError``."""
    has_any = False
    for rows in _pages(client, "search3", "searchResult3", "song", _SEARCH):
        has_any = True
        yield from rows
    if not has_any:
        for _key, _album, rows in _albums_with_songs(client):
            yield from rows


def _by_search(client: SubsonicClient) -> Iterator[list[SourceSong]]:
    releases: dict[str, str] | None = None
    for rows in _pages(client, "search3", "searchResult3", "song", _SEARCH):
        if releases is None:
            releases = _releases(client)
        yield [song for row in rows if (song := song_of(row, releases)) is not None]


def _pages(
    client: SubsonicClient, method: str, outer: str, inner: str, parameters: Parameters
) -> Iterator[list[dict[str, Any]]]:
    """Yield the pages of a list until one is empty: a server may send fewer than we ask for, on any page."""
    size, skip = ("songCount", "songOffset") if method == "search3" else ("size", "offset")
    offset, first = 0, ""
    while offset < MAX_ROWS:
        answer = client.call(method, {**parameters, size: PAGE, skip: offset}).get(outer)
        rows = rows_of(answer.get(inner)) if isinstance(answer, dict) else []
        if not rows or remote_id(rows[0].get("id")) == first:
            # The second: a server that has no pages sends the first again.
            return
        first = remote_id(rows[0].get("id"))
        yield rows
        offset += len(rows)


def _releases(client: SubsonicClient) -> dict[str, str]:
    """Return the MusicBrainz ids of albums by the server's ids; of most servers none."""
    releases: dict[str, str] = {}
    for albums in _albums(client):
        for album in albums:
            if (mbid := clean_mbid(album.get("musicBrainzId"))) and (key := remote_id(album.get("id"))):
                releases[key] = mbid
        if not releases:
            # The first 500 albums have none.
            break
    return releases


def _albums(client: SubsonicClient) -> Iterator[list[dict[str, Any]]]:
    yield from _pages(client, "getAlbumList2", "albumList2", "album", {"type": "alphabeticalByName"})


def _by_albums(client: SubsonicClient) -> Iterator[list[SourceSong]]:
    batch: list[SourceSong] = []
    for key, album, rows in _albums_with_songs(client):
        releases = {key: clean_mbid(album.get("musicBrainzId"))}
        batch += [song for row in rows if (song := song_of(row, releases)) is not None]
        if len(batch) >= PAGE:
            yield batch
            batch = []
    if batch:
        yield batch


def _albums_with_songs(client: SubsonicClient) -> Iterator[tuple[str, dict[str, Any], list[dict[str, Any]]]]:
    """Yield the id of each album, the album as lists show it, and its songs."""
    for albums in _albums(client):
        for album in albums:
            if key := remote_id(album.get("id")):
                whole = client.call("getAlbum", {"id": key}).get("album")
                yield key, album, rows_of(whole.get("song")) if isinstance(whole, dict) else []
