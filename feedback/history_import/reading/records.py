"""Recognises the records of the services' JSON exports and converts them to plays."""

from collections.abc import Callable, Iterator
from typing import Any

from feedback.history_import.reading.parsing import MEMBER, key_within
from feedback.history_import.reading.rows import (
    COMPLETED,
    LISTENBRAINZ_SPOTIFY,
    MINUTES,
    NO_LENGTH,
    NO_SONG,
    NO_TIME,
    NOT_A_PLAY,
    NOT_A_SONG,
    NOT_HEARD,
    PLAYING_NOW,
    SKIPPED,
    STARTED,
    PlayRow,
    Record,
    Row,
)  # fmt: skip
from feedback.history_import.reading.times import MILLISECONDS, Times, iso_seconds
from feedback.history_import.reading.values import (
    is_false,
    is_true,
    isrc_of,
    mbid_of,
    milliseconds,
    name_of,
    names_of,
    spotify_id,
    text_of,
    whole,
)
from feedback.history_import.reading.youtube import artist_of, of_video, song_of

# Reasons for which nothing was audible.
MIN_MS = 1000
_MAX_DEPTH = 6
_TITLES = ("name", "track", "title", "track_name", "trackName", "song")
_ARTISTS = ("artist", "artists", "artist_name", "artistName", "artist_names")
_ALBUMS = ("album", "release_name", "album_name", "albumName")
_TIMES = ("date", "uts", "timeMs", "timestamp", "time", "listened_at", "played_at", "playedAt", "scrobbled_at",
          "datetime", "utc_time", "endTime")  # fmt: skip
# Logs of scrobblers contain loved songs as well.
PLAY_EVENTS = frozenset({"", "scrobble", "scrobbled", "play", "played", "listen"})
_NEEDED = (
    ("listened_at", "track_metadata", "listenbrainz"),
    ("endTime", "msPlayed", "spotify-year"),
    ("outcome", "played_at", "own"),
)
Convert = Callable[[Record, Times], Row]


def kind_of(record: Any) -> str:
    """Return the name of a record's format; "" if it is not a play."""
    if not isinstance(record, dict):
        return ""
    # The most frequent formats first, and without a loop, because a history has a million records.
    if "ms_played" in record and "ts" in record:
        return "spotify"
    for first, second, name in _NEEDED:
        if first in record and second in record:
            return name
    if "titleUrl" in record or str(record.get("header", "")).startswith("YouTube"):
        return "youtube" if "title" in record and "time" in record else ""
    return _kind_of_others(record)


def _kind_of_others(record: Record) -> str:
    track = record.get("track")
    if isinstance(track, dict):
        if "time" in record:
            return "maloja"
        return "spotify-recent" if "played_at" in record else ""
    if "trackName" in record and "artistName" in record and "time" in record:
        return "spotify-2018"
    has_song = any(name_of(record.get(key)) for key in _TITLES) and any(names_of(record.get(key)) for key in _ARTISTS)
    return "lastfm" if has_song and (_is_playing(record) or _first(record, _TIMES) is not None) else ""


def plays_in(key: str, value: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield the records in a value, such as a page that holds a list of them, each with the key of its list.

    Objects that are neither plays nor in a list, such as the attributes of a page, are not records.
    """
    if isinstance(value, list) and depth < _MAX_DEPTH:
        for item in value:
            yield from plays_in(key, item, depth + 1)
    elif isinstance(value, dict) and not kind_of(value) and depth < _MAX_DEPTH:
        inner = [] if _is_song(value) else [(name, held) for name, held in value.items() if _holds_more(held)]
        if not inner and not key.endswith(MEMBER):
            yield key, value
        for name, held in inner:
            within = key_within(key, name)
            yield from plays_in(within + MEMBER if isinstance(held, dict) else within, held, depth + 1)
    else:
        yield key, value


def _holds_more(value: Any) -> bool:
    return isinstance(value, (list, dict))


def _is_song(value: Record) -> bool:
    # It has no time, otherwise it would be a play; its artist and album are not records.
    return any(text_of(value.get(key)) for key in ("name", "title")) and any(key in value for key in _ARTISTS)


# What account data calls podcasts and audiobooks.
_NO_SONGS = ("podcastName", "episodeName", "audiobookName", "audiobookTitle", "chapterName")
_LONG_NAMES = (
    "master_metadata_track_name", "master_metadata_album_artist_name", "master_metadata_album_album_name",
)  # fmt: skip


# --- Spotify ---------------------------------------------------------------------------------------------------------
def _spotify(record: Record, _times: Times) -> Row:
    title, artist, album = _names_of(record)
    uri, track = _address_of(record)
    if not (title and artist):
        if record.get("episode_name") or record.get("spotify_episode_uri") or record.get("audiobook_title"):
            return NOT_A_SONG
        if not track:
            return NO_SONG
        title = artist = ""
    ms = record.get("ms_played")
    if type(ms) is not int and (ms := milliseconds(ms)) is None:
        return NO_LENGTH
    at = iso_seconds(record.get("ts"))
    if at is None and (at := _times.read(record.get("ts"))) is None:
        return NO_TIME
    if ms < MIN_MS:
        return NOT_HEARD
    if record.get("reason_end") == "trackdone":
        outcome = COMPLETED
    else:
        outcome = SKIPPED if is_true(record.get("skipped")) or record.get("reason_end") == "fwdbtn" else STARTED
    key = f"{at}\n{uri or title}\n{ms}"
    if is_true(record.get("offline")) and record.get("offline_timestamp"):
        # Offline plays are sent later, sometimes several with one time stamp.
        key += f"\n{_offline_second(record['offline_timestamp'])}"
    # Plays of a private session were not meant to be recorded.
    is_counted = not is_true(record.get("incognito_mode"))
    artists = (artist,) if artist else ()
    return PlayRow(at, key, track, "", title, artists, album, uri, ms, outcome, is_counted, "spotify", True)


def _names_of(record: Record) -> tuple[str, str, str]:
    """Return title, artist and album, also of a record whose names somebody renamed."""
    title, artist, album = map(text_of, map(record.get, _LONG_NAMES))
    if title or artist or any(map(record.__contains__, _LONG_NAMES)):
        return title, artist, album
    title, artist, album = (
        next(filter(None, map(text_of, map(record.get, keys))), "") for keys in (_TITLES, _ARTISTS, _ALBUMS)
    )
    return title, artist, album


def _address_of(record: Record) -> tuple[str, str]:
    """Return the address of the song, as the export writes it, and its ID."""
    uri = record.get("spotify_track_uri")
    uri = uri if isinstance(uri, str) else ""
    track = spotify_id(uri)
    return (uri if uri.startswith("spotify:") or not track else f"spotify:track:{track}"), track


def _offline_second(value: Any) -> Any:
    """Return the second at which it began; newer exports have milliseconds."""
    number = whole(value)
    if number is None:
        return value
    return number // 1000 if number > MILLISECONDS else number


def _spotify_account(record: Record, times: Times) -> Row:
    title, artist, ms = (
        text_of(record.get("trackName")),
        text_of(record.get("artistName")),
        milliseconds(record.get("msPlayed")),
    )
    if not (title and artist):
        return NOT_A_SONG if any(map(record.get, _NO_SONGS)) else NO_SONG
    if ms is None:
        return NO_LENGTH
    at = times.read(record.get("endTime"))
    if at is None:
        return NO_TIME
    if ms < MIN_MS:
        return NOT_HEARD
    key = f"{at}\n{title}\n{artist}\n{ms}"
    return PlayRow(at, key, "", "", title, (artist,), "", "", ms, STARTED, True, "spotify-year", True)


def _nested_song(
    record: Record, times: Times, *, title_key: str, time_key: str
) -> tuple[Record, str, tuple[str, ...], int] | str:
    """Return the object at ``track``, its title and artists, and the time; or why the record is no play."""
    track = record.get("track")
    track = track if isinstance(track, dict) else {}
    title, artists = text_of(track.get(title_key)), names_of(track.get("artists"))
    if not (title and artists):
        return NO_SONG
    at = times.read(record.get(time_key))
    return NO_TIME if at is None else (track, title, artists, at)


def _spotify_recent(record: Record, times: Times) -> Row:
    song = _nested_song(record, times, title_key="name", time_key="played_at")
    if isinstance(song, str):
        return song
    track, title, artists, at = song
    uri, isrc = text_of(track.get("uri")), isrc_of((track.get("external_ids") or {}).get("isrc"))
    return PlayRow(
        at, f"{at}\n{uri or title}", spotify_id(uri), isrc, title, artists, name_of(track.get("album")), uri, None,
        STARTED, True, "spotify-recent",
    )  # fmt: skip


# --- ListenBrainz ----------------------------------------------------------------------------------------------------
def _listenbrainz(record: Record, times: Times) -> Row:
    meta = record.get("track_metadata")
    at = times.read(record.get("listened_at"))
    if not isinstance(meta, dict):
        return NO_SONG
    title, artist = text_of(meta.get("track_name")), text_of(meta.get("artist_name"))
    if not (title and artist):
        return NO_SONG
    if at is None:
        return NO_TIME
    more = meta.get("additional_info")
    more = more if isinstance(more, dict) else {}
    names = more.get("artist_names")
    artists = tuple(filter(None, map(text_of, names))) if isinstance(names, list) else ()
    address = text_of(more.get("spotify_id")) or text_of(more.get("origin_url"))
    # A submitted listen means that half of the song or four minutes were heard.
    return PlayRow(
        at, f"{at}\n{title}\n{artist}", spotify_id(address), isrc_of(more.get("isrc")), title, artists or (artist,),
        text_of(meta.get("release_name")), address, _milliseconds(more), COMPLETED, True,
        LISTENBRAINZ_SPOTIFY if _is_from_spotify(more) else "listenbrainz",
        mbid=_recording_of(meta, more),
    )  # fmt: skip


def _is_from_spotify(more: Record) -> bool:
    """Return whether ListenBrainz read the listen from Spotify."""
    sources = (more.get("music_service"), more.get("music_service_name"), more.get("listening_from"))
    return any(text_of(source).lower().removesuffix(".com").endswith("spotify") for source in sources)


def _recording_of(meta: Record, more: Record) -> str:
    """Return the recording that the player named, else the one that ListenBrainz took it for."""
    mapping = meta.get("mbid_mapping")
    mapped = mapping.get("recording_mbid") if isinstance(mapping, dict) else None
    return mbid_of(more.get("recording_mbid")) or mbid_of(mapped)


def _milliseconds(more: Record) -> int | None:
    for name, factor in (("duration_ms", 1), ("duration", 1000), ("duration_played", 1000)):
        value = whole(more.get(name))
        if value is not None and 0 < value * factor < 2**31:
            return value * factor
    return None


# --- Last.fm and its like --------------------------------------------------------------------------------------------
def _lastfm(record: Record, times: Times) -> Row:
    if _is_playing(record):
        return PLAYING_NOW
    if str(record.get("event") or "").lower() not in PLAY_EVENTS:
        return NOT_A_PLAY
    title = name_of(_first(record, _TITLES))
    artists = names_of(_first(record, _ARTISTS))
    if not (title and artists):
        return NO_SONG
    date = _first(record, _TIMES)
    if isinstance(date, dict):
        date = date.get("uts") or date.get("#text")
    at = times.read(date)
    if at is None:
        return NO_TIME
    return scrobble(at, title, artists, name_of(_first(record, _ALBUMS)), times.has_seconds)


def scrobble(at: int, title: str, artists: tuple[str, ...], album: str, has_seconds: bool) -> PlayRow:
    """Return the play of a scrobble, which means that at least half of the song was heard."""
    # If times have minutes only, the key is that of the minute.
    key = f"{at if has_seconds else at // 60}\n{title}\n{artists[0]}".casefold()
    listing = "lastfm" if has_seconds else "lastfm" + MINUTES
    return PlayRow(at, key, "", "", title, artists, album, "", None, COMPLETED, True, listing)


def _maloja(record: Record, times: Times) -> Row:
    song = _nested_song(record, times, title_key="title", time_key="time")
    if isinstance(song, str):
        return song
    track, title, artists, at = song
    seconds = whole(record.get("duration"))
    ms = seconds * 1000 if seconds and 0 < seconds < 100_000 else None
    key = f"{at}\n{title}\n{artists[0]}"
    return PlayRow(at, key, "", "", title, artists, name_of(track.get("album")), "", ms, COMPLETED, True, "maloja")


def _youtube(record: Record, times: Times) -> Row:
    if record.get("header", "YouTube Music") != "YouTube Music":
        return NOT_A_SONG
    artist = name_of(record.get("subtitles"))
    title = song_of(text_of(record.get("title")))
    if not (title and artist) or title == record.get("titleUrl"):
        return NO_SONG
    at = times.read(record.get("time"))
    if at is None:
        return NO_TIME
    key = f"{at}\n{title}\n{artist_of(artist)}"
    title, artist = of_video(title, artist)
    address = text_of(record.get("titleUrl"))
    return PlayRow(at, key, "", "", title, (artist,), "", address, None, STARTED, True, "youtube")


def _own(record: Record, times: Times) -> Row:
    """Return the play of a row of this site's own complete export."""
    title, _, artists = text_of(record.get("track")).rpartition(" - ")
    return own_play(record, title or artists, artists if title else "", times)


def own_play(cells: Record, title: str, artists: str, times: Times) -> Row:
    """Return the play of a row of this site's own files; plays from Spotify's API stay marked as such."""
    if not (title and artists):
        return NO_SONG
    at = times.read(cells.get("played_at"))
    if at is None:
        return NO_TIME
    ms = milliseconds(cells.get("ms_played"))
    outcome = cells.get("outcome")
    is_counted = not is_false(cells.get("is_counted"))
    return PlayRow(
        at, f"{at}\n{title}\n{artists}", text_of(cells.get("spotify_id")), "", title, (artists,),
        text_of(cells.get("album")), "", ms if ms and ms > 0 else None,
        outcome if outcome in (STARTED, COMPLETED, SKIPPED) else STARTED, is_counted,
        "own-spotify" if cells.get("source") == "spotify" else "own",
    )  # fmt: skip


def _first(record: Record, keys: tuple[str, ...]) -> Any:
    return next((record[key] for key in keys if record.get(key) not in (None, "")), None)


def _is_playing(record: Record) -> bool:
    attributes = record.get("@attr")
    return isinstance(attributes, dict) and attributes.get("nowplaying") in ("true", True)


def _spotify_2018(record: Record, times: Times) -> Row:
    row = _lastfm(record, times)
    # That export has no listening time.
    return row._replace(outcome=STARTED, listing="spotify-2018") if isinstance(row, PlayRow) else row


CONVERT: dict[str, Convert] = {
    "spotify": _spotify,
    "spotify-year": _spotify_account,
    "spotify-2018": _spotify_2018,
    "spotify-recent": _spotify_recent,
    "listenbrainz": _listenbrainz,
    "lastfm": _lastfm,
    "maloja": _maloja,
    "youtube": _youtube,
    "own": _own,
}
