"""The sandbox's calls about songs, artists and albums, whoever asks."""

import re

from accounts.spotify.sandbox import responses
from accounts.spotify.sandbox.call import Answer, ApiError, Call
from accounts.spotify.sandbox.state import Song

_FILTER = re.compile(r'\b(track|artist|album|isrc|year):(?:"([^"]*)"|(\S+))', re.IGNORECASE)


def search(call: Call) -> Answer:
    """Answer songs that hold all words, and fit filters such as ``artist:"Nordlys"`` and ``isrc:QZ...``."""
    text = call.query.get("q", "").strip()
    if not text:
        raise ApiError(400, "No search query")
    if call.query.get("type") != "track":
        raise ApiError(400, "Bad search type field")
    limit, offset = call.count("limit", 5, 1, 10), call.count("offset", 0, 0, 1000)
    filters = [(match[1].lower(), (match[2] or match[3]).casefold()) for match in _FILTER.finditer(text)]
    words = _FILTER.sub(" ", text).casefold().split()
    rows = [song for song in call.world.songs.values() if _fits(song, words, filters)]
    page = responses.page(rows, call.address(), limit, offset, lambda song: responses.track(song, call.base))
    return 200, {}, {"tracks": page}


def _fits(song: Song, words: list[str], filters: list[tuple[str, str]]) -> bool:
    texts = {
        "track": song.title,
        "artist": " ".join(song.artists),
        "album": song.album,
        "isrc": song.isrc,
        "year": str(song.year),
    }
    whole = f"{song.title} {' '.join(song.artists)} {song.album}".casefold()
    return all(word in whole for word in words) and all(value in texts[name].casefold() for name, value in filters)


def track(call: Call) -> Answer:
    """Answer a song."""
    if call.parts[0] not in call.world.songs:
        raise ApiError(404, "Resource not found")
    return 200, {}, call.track(call.parts[0])


def artist(call: Call) -> Answer:
    """Answer an artist."""
    return 200, {}, responses.artist(_artist_name(call), call.base)


def artist_albums(call: Call) -> Answer:
    """Answer the albums of an artist."""
    name = _artist_name(call)
    songs = {song.album: song for song in call.world.songs.values() if song.artists[0] == name}
    return call.page(list(songs.values()), lambda song: responses.album(song, call.world, call.base), 5, 10)


def album(call: Call) -> Answer:
    """Answer an album with its songs."""
    song = _album_song(call)
    body = responses.album(song, call.world, call.base)
    songs = responses.album_songs(song, call.world)
    address = f"{call.base}{call.path}/tracks"
    tracks = responses.page(songs, address, 50, 0, lambda row: responses.plain_track(row, call.base))
    return 200, {}, {**body, "tracks": tracks, "copyrights": [], "external_ids": {}, "genres": []}


def album_tracks(call: Call) -> Answer:
    """Answer the songs of an album."""
    songs = responses.album_songs(_album_song(call), call.world)
    return call.page(songs, lambda song: responses.plain_track(song, call.base))


def _artist_name(call: Call) -> str:
    names = {name for song in call.world.songs.values() for name in song.artists}
    name = next((name for name in names if responses.artist_id(name) == call.parts[0]), None)
    if name is None:
        raise ApiError(404, "Resource not found")
    return name


def _album_song(call: Call) -> Song:
    song = next((row for row in call.world.songs.values() if responses.album_id(row) == call.parts[0]), None)
    if song is None:
        raise ApiError(404, "Resource not found")
    return song
