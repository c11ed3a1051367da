"""The calls that are answered here, for linked listeners: mixes, and playlists of this site."""

from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.http import HttpResponse

from catalog.identity.text import artist_key
from catalog.models import MusicServer, ServerSong
from catalog.sources.subsonic.client import SubsonicError
from catalog.sources.subsonic.parsing import rows_of
from feedback.music_servers.codes import CodeError, code_in, link_by_code
from feedback.music_servers.models import USERNAME_LENGTH
from feedback.music_servers.services import TakenError
from recommender.proxy.calls import Call
from recommender.proxy.formats import NOT_AUTHORIZED, NOT_FOUND, answer, failure
from recommender.proxy.logins import Session, client_of, judged_login, session_of
from recommender.proxy.mixes import Match, best_of, path, recommended, similar_mix
from recommender.proxy.playlists import empty_playlist, is_ours, playlist_of, playlists_with_ours
from recommender.proxy.selectors import Library
from recommender.proxy.songs import bodies, fetch_all

Content = dict[str, Any]
_MOST, _MOST_RANDOM = 100, 100
# Players page until a page is empty.
_LAST_OFFSET = 1_000_000
# Of so many recommended songs the albums are taken.
_SONGS_PER_ALBUM, _MOST_SEEN = 10, 300
_SIMILARITY: Content = {"name": "sonicSimilarity", "versions": [1]}
# How adventurous "random" is.
_RANDOM = 1.0


def answer_of(server: MusicServer, call: Call) -> HttpResponse | None:
    """Return the answer to a call; ``None`` where it is to be passed on. Raise ``SubsonicError``."""
    if call.method == "getOpenSubsonicExtensions":
        return _extensions(server, call)
    if call.method == "createPlaylist" and (code := code_in(call.value("name"))):
        return _linked(server, call, code)
    handler = _HANDLERS.get(call.method)
    if handler is None or (call.method in _OPTIONAL and not settings.PROXY_RANDOM_SONGS):
        return None
    if call.method in _OF_PLAYLISTS and not any(map(is_ours, [*call.ids("id"), *call.ids("playlistId")])):
        return None
    session = session_of(server, call)
    if session is None:
        return None
    content = handler(session)
    return content if content is None or isinstance(content, HttpResponse) else answer(call, content, session.envelope)


def _extensions(server: MusicServer, call: Call) -> HttpResponse | None:
    """Return what the server can do, and what we add; everybody may ask, who is not linked gets the server's own."""
    if call.has_login and session_of(server, call) is None:
        return None
    try:
        extensions = client_of(server, call).call("getOpenSubsonicExtensions")
    except SubsonicError:
        # Servers without OpenSubsonic do not have this call.
        extensions = {}
    listed = [
        row for row in rows_of(extensions.get("openSubsonicExtensions")) if row.get("name") != _SIMILARITY["name"]
    ]
    envelope = {
        name: extensions[name] for name in ("version", "type", "serverVersion") if isinstance(extensions.get(name), str)
    }
    return answer(call, {"openSubsonicExtensions": [*listed, _SIMILARITY]}, envelope)


def _linked(server: MusicServer, call: Call, code: str) -> HttpResponse | None:
    """Link the account by the code that names a playlist; the playlist itself is never made."""
    judged = judged_login(server, call) if call.has_login else None
    if judged is None or not 0 < len(judged["user"]) <= USERNAME_LENGTH:
        return None
    try:
        account = link_by_code(server=server, remote_user=judged["user"], code=code)
    except TakenError:
        return failure(call, "Another listener of the site has linked this account.", code=NOT_AUTHORIZED)
    except CodeError:
        return failure(call, "This code is not valid. Ask the site for a new one.", code=NOT_AUTHORIZED)
    session = Session(server, call, account.user, client_of(server, call), judged["envelope"])
    return answer(call, {"playlist": empty_playlist(session, code)}, session.envelope)


def _similar_songs(session: Session) -> Content | None:
    return _named_songs(session, "similarSongs", _mix_of_call(session, 50))


def _similar_songs2(session: Session) -> Content | None:
    return _named_songs(session, "similarSongs2", _mix_of_call(session, 50))


def _sonic_similar(session: Session) -> Content | None:
    matches = _mix_of_call(session, 10)
    return None if matches is None else _sonic_matches(session, matches)


def _sonic_path(session: Session) -> Content | None:
    library, call = session.library, session.call
    start, goal = call.value("startSongId"), call.value("endSongId")
    tracks = library.tracks_of([start, goal])
    if len({start, goal} & tracks.keys()) < 2:
        return None
    found_ids = path(session.user, library, tracks[start], tracks[goal], call.number("count", 25, _MOST))
    if found_ids is None:
        return None
    steps = max(len(found_ids) - 1, 1)
    # The share of the way that is left to the last song.
    return _sonic_matches(session, [(pk, 1.0 - number / steps) for number, pk in enumerate(found_ids)])


def _top_songs(session: Session) -> Content | None:
    library, name = session.library, session.call.value("artist")
    track_ids = _songs_by(session.server, name)
    ids = best_of(session.user, library, track_ids, session.call.number("count", 50, _MOST)) if track_ids else None
    return _named_songs(session, "topSongs", None if ids is None else [(pk, 1.0) for pk in ids])


def _random_songs(session: Session) -> Content | None:
    call, library = session.call, session.library
    if call.value("musicFolderId"):
        return None
    among = _filtered(session)
    k = call.number("size", 10, _MOST_RANDOM)
    ids = recommended(session.user, library, k, among=among, adventure=_RANDOM)
    return _named_songs(session, "randomSongs", None if ids is None else [(pk, 1.0) for pk in ids])


def _recommended_albums(session: Session) -> Content | None:
    """Return the albums of recommended songs, for ``type=recommended`` alone."""
    call, library = session.call, session.library
    if call.value("type") != "recommended":
        return None
    size = call.number("size", 10, _MOST)
    offset = 0 if call.value("offset") in ("", "0") else call.number("offset", 0, _LAST_OFFSET)
    ids = recommended(session.user, library, min(_SONGS_PER_ALBUM * (size + offset), _MOST_SEEN))
    if ids is None:
        return None
    album_ids = [song["albumId"] for song in bodies(session, ids).values() if song.get("albumId")]
    wanted = list(dict.fromkeys(album_ids))[offset : offset + size]
    whole = fetch_all(session, "getAlbum", "album", wanted).values()
    albums = [{name: value for name, value in album.items() if name != "song"} for album in whole]
    return {"albumList2": {"album": albums}}


def _playlists(session: Session) -> Content | None:
    return playlists_with_ours(session)


def _playlist(session: Session) -> Content | HttpResponse:
    content = playlist_of(session, session.call.value("id"))
    return content or failure(session.call, "Playlist not found.", code=NOT_FOUND)


def _unchangeable(session: Session) -> HttpResponse:
    return failure(session.call, "This playlist is changed on the site.", code=NOT_AUTHORIZED)


def _mix_of_call(session: Session, count: int) -> list[Match] | None:
    call, library = session.call, session.library
    seeds = _seeds(session, library, call.value("id"))
    return similar_mix(session.user, library, seeds, call.number("count", count, _MOST)) if seeds else None


def _seeds(session: Session, library: Library, remote_id: str) -> Sequence[int]:
    """Return the songs that an id of a song, an album or an artist stands for."""
    if not remote_id:
        return []
    if tracks := library.tracks_of([remote_id]):
        return list(tracks.values())
    for method, name in (("getArtist", "artist"), ("getAlbum", "album")):
        try:
            body = session.client.call(method, {"id": remote_id}).get(name)
        except SubsonicError:
            continue
        if not isinstance(body, dict):
            continue
        if name == "artist":
            return _songs_by(session.server, str(body.get("name") or ""))
        return list(library.tracks_of([str(row.get("id")) for row in rows_of(body.get("song"))]).values())
    return []


def _songs_by(server: MusicServer, name: str) -> list[int]:
    """Return the songs of an artist that the server has."""
    key = artist_key(name) if name else ""
    rows = ServerSong.objects.filter(server=server, gone_at=None, track__credits__artist__key=key) if key else None
    return list(dict.fromkeys(rows.values_list("track_id", flat=True)[:5000])) if rows is not None else []


def _filtered(session: Session) -> list[int] | None:
    """Return the songs of the genre and years that are wanted; ``None`` where all are."""
    call = session.call
    rows = ServerSong.objects.filter(server=session.server, gone_at=None)
    is_filtered = False
    if genre := call.value("genre"):
        rows, is_filtered = rows.filter(track__genres__name=genre.strip().lower()[:100]), True
    for name, lookup in (("fromYear", "gte"), ("toYear", "lte")):
        if call.value(name):
            year = call.number(name, 0, 9999)
            rows, is_filtered = rows.filter(**{f"track__release_year__{lookup}": year}), True
    return list(rows.values_list("track_id", flat=True)) if is_filtered else None


def _named_songs(session: Session, name: str, matches: Sequence[Match] | None) -> Content | None:
    """Return songs as the server describes them; ``None`` where there is none, so that the server answers."""
    if not matches:
        return None
    songs = bodies(session, [pk for pk, _similarity in matches])
    return {name: {"song": list(songs.values())}} if songs else None


def _sonic_matches(session: Session, matches: Sequence[Match]) -> Content | None:
    songs = bodies(session, [pk for pk, _similarity in matches])
    rows = [{"entry": songs[pk], "similarity": round(likeness, 4)} for pk, likeness in matches if pk in songs]
    return {"sonicMatch": rows} if rows else None


Handler = Callable[[Session], Content | HttpResponse | None]
_HANDLERS: dict[str, Handler] = {
    "getSimilarSongs": _similar_songs,
    "getSimilarSongs2": _similar_songs2,
    "getSonicSimilarTracks": _sonic_similar,
    "findSonicPath": _sonic_path,
    "getTopSongs": _top_songs,
    "getRandomSongs": _random_songs,
    "getAlbumList2": _recommended_albums,
    "getPlaylists": _playlists,
    "getPlaylist": _playlist,
    "updatePlaylist": _unchangeable,
    "createPlaylist": _unchangeable,
    "deletePlaylist": _unchangeable,
}
_OPTIONAL = frozenset({"getRandomSongs"})
_OF_PLAYLISTS = frozenset({"getPlaylist", "updatePlaylist", "createPlaylist", "deletePlaylist"})
