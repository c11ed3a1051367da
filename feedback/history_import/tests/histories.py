"""Exports as the services make them, for tests."""

import io
import json
import zipfile
from typing import Any


def spotify(title: str = "Song", artist: str = "Someone", **values: Any) -> dict[str, Any]:
    """Return a record of Spotify's extended streaming history."""
    record: dict[str, Any] = {
        "ts": "2024-03-01T10:00:00Z", "platform": "android", "ms_played": 200_000, "conn_country": "SE",
        "ip_addr": "192.0.2.1", "master_metadata_track_name": title, "master_metadata_album_artist_name": artist,
        "master_metadata_album_album_name": "Record", "spotify_track_uri": None, "episode_name": None,
        "spotify_episode_uri": None, "reason_start": "trackdone", "reason_end": "trackdone", "shuffle": False,
        "skipped": False, "offline": False, "incognito_mode": False,
    }  # fmt: skip
    return {**record, **values}


def listen(title: str = "Song", artist: str = "Someone", at: int = 1_700_000_000, **more: Any) -> dict[str, Any]:
    """Return a listen of ListenBrainz."""
    meta = {"track_name": title, "artist_name": artist, "release_name": "Record", "additional_info": more}
    return {"listened_at": at, "track_metadata": meta}


def scrobble(title: str = "Song", artist: str = "Someone", at: int = 1_700_000_000) -> dict[str, Any]:
    """Return a track of Last.fm's recent tracks."""
    return {
        "artist": {"mbid": "", "#text": artist},
        "album": {"mbid": "", "#text": "Record"},
        "name": title,
        "date": {"uts": str(at), "#text": "14 Nov 2023, 22:13"},
    }


def packed(**members: "str | bytes | list[Any]") -> bytes:
    """Return a zip; lists are written as JSON. In names, ``__`` stands for a slash and ``_json`` for ``.json``."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            path, _, kind = name.replace("__", "/").rpartition("_")
            archive.writestr(f"{path}.{kind}", json.dumps(content) if isinstance(content, list) else content)
    return buffer.getvalue()
