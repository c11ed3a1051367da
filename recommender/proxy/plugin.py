"""What AudioMuse's plug-in for Navidrome asks: songs like a song, paths, similar artists. It names no listener."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from django.db.models import QuerySet

from catalog.identity.text import artist_key, fold
from catalog.models import MusicServer, ServerSong, Track, TrackArtist
from catalog.sources.servers.services import client_of
from catalog.sources.subsonic.client import SubsonicError
from recommender import engine
from recommender.adapters.loaded import LoadedModel
from recommender.engine import IntArray
from recommender.lifecycle.versions import active_model
from recommender.proxy.selectors import Library

Row = dict[str, Any]
MOST = 200
# Songs of an artist that stand for it, and songs that are told of each of two similar artists.
_SEEDS, _TOLD_SONGS = 20, 3
_MOST_OF_ARTIST = 5000


def similar_tracks(server: MusicServer, *, item_id: str, title: str, artist: str, n: int) -> list[Row]:
    """Return the songs of the server most like one, the nearest first; ``distance`` is 0 for the likest, 1 at most."""
    library = Library(server)
    seed = library.tracks_of([item_id]).get(item_id) if item_id else _by_name(server, title, artist)
    return _rows(library, _nearest(library, [seed], n) if seed else [])


def path(server: MusicServer, *, start: str, goal: str, steps: int) -> list[Row]:
    """Return the songs from one to another, both included."""
    library, loaded = Library(server), active_model()
    tracks = library.tracks_of([start, goal])
    if loaded is None or len({start, goal} & tracks.keys()) < 2:
        return []
    ends = loaded.model.catalogue.rows_of(np.array([tracks[start], tracks[goal]], dtype=np.int64))
    if ends.min() < 0:
        return []
    between = max(steps - 2, 0)
    rows = engine.track_path(loaded.model, int(ends[0]), int(ends[1]), between, only=_only(loaded, library))
    middle = [int(pk) for pk in loaded.model.catalogue.track_ids[rows]]
    # A song of a path has no distance: the plug-in makes its similarity -1.
    return _rows(library, [(pk, -1.0) for pk in (tracks[start], *middle, tracks[goal])])


def similar_artists(server: MusicServer, *, artist: str, n: int, has_songs: bool) -> list[Row]:
    """Return artists whose songs are most like an artist's, who is named or by the server's id."""
    library = Library(server)
    name, own = _artist(server, artist)
    key = artist_key(name)
    near = _nearest(library, [song.track_id for song in own[:_SEEDS]], MOST) if own else []
    credited = TrackArtist.objects.filter(track_id__in=[pk for pk, _distance in near], position=0)
    by_track = {credit.track_id: credit.artist.name for credit in credited.select_related("artist")}
    songs: dict[str, list[int]] = {}
    for pk, _distance in near:
        if artist_key(other := by_track.get(pk, name)) != key:
            songs.setdefault(other, []).append(pk)
    chosen = dict(list(songs.items())[:n])
    ids = _artist_ids(server, library, [pks[0] for pks in chosen.values()])
    seeds = _named(library, [song.track_id for song in own[:_TOLD_SONGS]]) if has_songs else []
    return [
        {
            "artist": other,
            "artist_id": ids.get(pks[0], ""),
            "component_matches": _matches(seeds, _named(library, pks[:_TOLD_SONGS])) if has_songs else [],
        }
        for other, pks in chosen.items()
    ]


def _matches(seeds: list[Row], songs: list[Row]) -> list[Row]:
    return [{"artist1_representative_songs": seeds, "artist2_representative_songs": songs}]


def _nearest(library: Library, seeds: Sequence[int], n: int) -> list[tuple[int, float]]:
    """Return songs like the seeds by our ids, with their distances."""
    loaded = active_model()
    if loaded is None:
        return []
    catalogue = loaded.model.catalogue
    rows = catalogue.rows_of(np.array(seeds, dtype=np.int64))
    rows = rows[rows >= 0]
    if not len(rows):
        return []
    near = engine.nearest(loaded.model, rows, min(n, MOST), only=_only(loaded, library))
    return [
        (int(catalogue.track_ids[row]), round(1.0 - float(likeness), 4))
        for row, likeness in zip(near.rows, near.similarity, strict=True)
    ]


def _only(loaded: LoadedModel, library: Library) -> IntArray:
    ids = np.fromiter(library.remote_ids, dtype=np.int64, count=len(library.remote_ids))
    rows = loaded.model.catalogue.rows_of(ids)
    return rows[rows >= 0]


def _present(server: MusicServer) -> QuerySet[ServerSong]:
    return ServerSong.objects.filter(server=server, gone_at=None, track__is_active=True)


def _by_name(server: MusicServer, title: str, artist: str) -> int | None:
    if not (title and artist):
        return None
    wanted = fold(title)
    rows = _present(server).filter(track__credits__artist__key=artist_key(artist[:300])).order_by("pk")
    songs = rows.values_list("track_id", "track__title")[:_MOST_OF_ARTIST]
    return next((pk for pk, other in songs if fold(other) == wanted), None)


def _artist(server: MusicServer, text: str) -> tuple[str, list[ServerSong]]:
    """Return the name of an artist and its songs; ``text`` is its name, or its id at the server."""
    songs = _songs_by(server, text)
    if songs or not text:
        return text, songs
    try:
        details = client_of(server).call("getArtist", {"id": text[:500]}).get("artist")
    except SubsonicError:
        return text, []
    name = str(details.get("name") or "") if isinstance(details, dict) else ""
    return name, _songs_by(server, name)


def _songs_by(server: MusicServer, name: str) -> list[ServerSong]:
    key = artist_key(name[:300]) if name else ""
    if not key:
        return []
    return list(
        _present(server).filter(track__credits__artist__key=key, track__credits__position=0).order_by("pk")[:_SEEDS]
    )


def _artist_ids(server: MusicServer, library: Library, track_ids: Sequence[int]) -> dict[int, str]:
    """Return the server's ids of the artists of songs, as it tells them."""
    client, ids = client_of(server), {}
    for pk in track_ids:
        try:
            song = client.call("getSong", {"id": library.remote_ids[pk]}).get("song")
        except SubsonicError:
            continue
        if isinstance(song, dict) and isinstance(song.get("artistId"), str):
            ids[pk] = song["artistId"]
    return ids


def _rows(library: Library, matches: Sequence[tuple[int, float]]) -> list[Row]:
    tracks = Track.objects.in_bulk([pk for pk, _distance in matches])
    return [
        {
            "item_id": library.remote_ids[pk],
            "title": tracks[pk].title,
            "author": tracks[pk].artist_names,
            "album": tracks[pk].album,
            "distance": distance,
        }
        for pk, distance in matches
        if pk in tracks and pk in library.remote_ids
    ]


def _named(library: Library, track_ids: Sequence[int]) -> list[Row]:
    rows = _rows(library, [(pk, 0.0) for pk in track_ids])
    return [{"item_id": row["item_id"], "title": row["title"]} for row in rows]
