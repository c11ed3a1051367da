"""Walking through all songs of a server: by an empty search, as OpenSubsonic has it, else album by album."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from catalog.sources.library.songs import SourceSong, clean_mbid
from catalog.sources.subsonic.client import Parameters, SubsonicClient
from catalog.sources.subsonic.parsing import remote_id, rows_of, song_of

Row = dict[str, Any]
PAGE = 500
# No library is larger; a server that sends the same page again and again comes to an end here.
MAX_ROWS = 2_000_000
_SEARCH: Parameters = {"query": "", "albumCount": 0, "artistCount": 0}


def walk(client: SubsonicClient) -> Iterator[list[SourceSong]]:
    """Yield the songs in batches of at most some hundred. Raise ``SubsonicError``."""
    listed: dict[str, str] | None = None
    for rows, albums in _batches(client):
        if albums:
            releases = _mbids_of(albums)
        else:
            releases = listed = _releases(client) if listed is None else listed
        yield [song for row in rows if (song := song_of(row, releases)) is not None]


def walk_rows(client: SubsonicClient) -> Iterator[dict[str, Any]]:
    """Yield all songs as the server describes them to the account. Raise ``SubsonicError``."""
    for rows, _albums_of_rows in _batches(client):
        yield from rows


def _batches(client: SubsonicClient) -> Iterator[tuple[list[Row], list[Row]]]:
    """Yield batches of songs, by search without their albums; if that finds none, album by album with these."""
    has_any = False
    for rows in _pages(client, "search3", "searchResult3", "song", _SEARCH):
        has_any = True
        yield rows, []
    if not has_any:
        yield from _by_albums(client)


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
        releases |= _mbids_of(albums)
        if not releases:
            # The first 500 albums have none.
            break
    return releases


def _mbids_of(albums: Iterable[Row]) -> dict[str, str]:
    pairs = ((remote_id(album.get("id")), clean_mbid(album.get("musicBrainzId"))) for album in albums)
    return {key: mbid for key, mbid in pairs if key and mbid}


def _albums(client: SubsonicClient) -> Iterator[list[dict[str, Any]]]:
    yield from _pages(client, "getAlbumList2", "albumList2", "album", {"type": "alphabeticalByName"})


def _by_albums(client: SubsonicClient) -> Iterator[tuple[list[Row], list[Row]]]:
    rows: list[Row] = []
    whole: list[Row] = []
    for album in chain.from_iterable(_albums(client)):
        if not (key := remote_id(album.get("id"))):
            continue
        content = client.call("getAlbum", {"id": key}).get("album")
        rows += rows_of(content.get("song")) if isinstance(content, dict) else []
        whole.append(album)
        if len(rows) >= PAGE:
            yield rows, whole
            rows, whole = [], []
    if rows:
        yield rows, whole
