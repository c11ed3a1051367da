"""The layout of a file, determined before its rows are read: which column holds which field, in which notation."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType

from catalog.features import FEATURE_NAMES
from catalog.identity.text import fold
from catalog.importing.reading.headings import fields_of

# What public tables call each field, the most specific name first. A playlist's genre (``playlist_genre``,
# ``playlist_subgenre``) is missing on purpose: it says where a song was listed, not what it is, and used as a song's
# genre it would give away who listed it. "title" is the last name of a title: beside another one it is a playlist's.
ALIASES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "spotify_id": (
            "track_id", "spotify_id", "spotify_track_id", "song_id", "track_uri", "spotify_uri", "spotify_track_uri",
            "uri",
            "track_url", "spotify_url", "spotify_track_url", "spotify_link", "spotify_id_uri", "url", "track_href",
            "id",
            "link", "href", "titel_uri", "uri_de_la_chanson", "track_uri_spotify",
        ),
        "title": (
            "track_name", "song_name", "song_title", "track_title", "name_of_song", "name_of_track", "name", "song",
            "track",
            "title", "titelname", "titel", "liedtitel", "titre", "nom_du_titre", "nombre_de_la_cancion", "titulo",
            "cancion",
            "titolo", "titolo_brano", "brano", "musica", "faixa", "tytul", "曲名", "曲", "название",
            "трек", "песня", "歌曲", "歌名", "곡명",
            "nummer",
        ),
        "artists": (
            "artists", "artist_names", "artist_name_s", "artist_s_name", "track_artists", "artist_s", "artists_names",
            "artists_name", "all_artists", "track_artist", "artist_name", "track_artist_name", "song_artist", "artist",
            "performer", "singer", "band", "kunstlername_n", "kunstlername", "kunstler", "interpret", "interpreten",
            "artiste", "artistes", "nom_de_l_artiste", "artista", "artistas", "nombre_del_artista",
            "singer_name", "artist_band", "artiest", "artiesten", "artysta", "wykonawca", "アーティスト",
            "アーティスト名", "исполнитель",
            "исполнители", "артист", "歌手", "艺人", "가수", "아티스트", "artist_1", "artist1", "artist_name_1",
        ),
        "album": (
            "album_name", "track_album_name", "album_title", "album_names", "album", "release_name",
            "albumname", "nom_de_l_album",
            "nombre_del_album", "disco", "アルバム", "アルバム名", "альбом", "专辑", "앨범", "release",
        ),
        "popularity": (
            "track_popularity", "song_popularity", "popularity", "spotify_popularity",
            "popularity_score", "beliebtheit",
            "popularitat", "popularite", "popularita", "popularidade",
            "popularidad",
        ),
        "duration_ms": (
            "duration_ms", "track_duration_ms", "song_duration_ms", "length_ms", "duration_in_ms",
            "duration_milliseconds",
            "duration_millis", "durationms", "time_ms", "dauer_ms", "dauer_in_ms", "length_in_ms", "duree_ms",
            "duracion_ms", "durata_ms",
        ),
        "duration_s": (
            "duration_s", "duration_sec", "duration_secs", "duration_seconds", "duration_in_seconds", "length_s",
            "length_sec",
            "length_seconds", "track_duration_s", "song_duration_s", "dauer_s",
        ),
        "duration_min": (
            "duration_min", "duration_mins", "duration_minutes", "duration_in_minutes", "track_duration_min",
            "length_min", "length_minutes",
        ),
        "duration": (
            "duration", "track_duration", "song_duration", "length", "track_length", "song_length", "length_duration",
            "time", "track_time", "runtime", "dauer", "spieldauer", "laufzeit", "lange", "duree", "duracion", "durata",
            "duracao", "speelduur", "czas_trwania", "длительность",
        ),
        "explicit": ("explicit", "is_explicit", "track_explicit", "explicit_content", "explicit_lyrics",
                     "explicit_track", "has_explicit_lyrics", "explizit"),
        "release_year": (
            "release_year", "released_year", "year_released", "track_release_year", "album_release_year",
            "release_date",
            "track_release_date", "track_album_release_date", "album_release_date", "released", "year",
            "releasedate", "releaseyear", "year_of_release", "date_of_release", "veroffentlichungsdatum",
            "veroffentlichung", "erscheinungsdatum", "erscheinungsjahr", "jahr", "annee", "annee_de_sortie",
            "date_de_sortie", "ano", "ano_de_lanzamiento", "fecha_de_lanzamiento", "anno", "data_di_uscita",
            "ano_de_lancamento", "data_de_lancamento", "rok", "год", "リリース日", "发行日期", "release",
        ),
        "preview_url": ("preview_url", "track_preview_url", "spotify_preview_url", "preview", "preview_link"),
        "isrc": ("isrc", "track_isrc", "isrc_code"),
        "genres": (
            "track_genre", "track_genres", "song_genre", "music_genre", "genres", "genre", "top_genre", "main_genre",
            "artist_genres", "genre_s", "genre_name", "genre_names", "genero", "generos", "genere",
            "musikrichtung", "gatunek",
            "жанр", "ジャンル", "流派",
        ),
        **{
            name: (name, f"audio_{name}", f"track_{name}", f"{name}_value")
            for name in FEATURE_NAMES
        },
        "tempo": ("tempo", "bpm", "tempo_bpm", "track_tempo", "beats_per_minute", "beats_per_minute_bpm"),
        "loudness": ("loudness", "loudness_db", "loudness_dbfs", "track_loudness", "audio_loudness", "lautstarke",
                     "lautstarke_db", "volume_db"),
        "key": ("key", "audio_key", "track_key", "musical_key"),
        "mode": ("mode", "audio_mode", "track_mode", "mode_mode"),
        "time_signature": ("time_signature", "track_time_signature", "audio_time_signature", "timesignature"),
    }
)  # fmt: skip
# Short names that occur together with "nrgy" and "dnce".
_SHORT_NAMES = {
    "nrgy": "energy", "dnce": "danceability", "db": "loudness", "live": "liveness", "val": "valence",
    "acous": "acousticness",
    "spch": "speechiness", "dur": "duration", "pop": "popularity",
}  # fmt: skip
FIELDS = tuple(ALIASES)
DURATION_UNITS = {"duration_ms": 1, "duration_s": 1000, "duration_min": 60_000}
DURATION_FIELDS = ("duration_ms", "duration_s", "duration_min", "duration")
SHARES = tuple(name for name in FEATURE_NAMES if name not in {"key", "loudness", "mode", "tempo", "time_signature"})
NUMBERS = frozenset({"popularity", *DURATION_FIELDS, *FEATURE_NAMES})
DELIMITERS = (",", ";", "\t", "|")
# A plural heading means several names in one field.
PLURAL = frozenset({
    "artists", "artist_names", "artist_name_s", "artist_s_name", "track_artists", "artist_s", "artists_names",
    "artists_name",
    "all_artists", "kunstlername_n", "interpreten", "artistes", "artistas",
})  # fmt: skip
# The ids of the artists, of which there are as many as artists.
ARTIST_IDS = frozenset({
    "artist_uri_s", "artist_uris", "artist_ids", "artist_id_s", "artists_ids", "artists_id", "artist_id", "artist_uri",
    "id_artists", "artists_uris", "artists_uri", "spotify_artist_ids", "track_artist_ids", "kunstler_uri_s",
    "kunstler_id_s", "interpreten_ids",
})  # fmt: skip
# "trackName" is "track_name".
_NEXT_WORD = re.compile(r"(?<=[a-z]{2})(?=[A-Z])")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u2060\ufeff\u00ad"))
_MOST_NUMBERED = 20
# Prefixes that name the owner of a value, and the suffixes that pandas adds to equal headings.
_ADDED = re.compile(r"^(?:spotify_)?(?:track|song|music|audio(?:_features?)?)?_|^spotify_|_[xy]$")
_PERCENT = re.compile(r"%|\bper ?cent\b|\bpct\b")
_PERCENT_ENDING = re.compile(r"_(?:percent(?:age)?|per_cent|pct|pourcentage|prozent)$")


class LayoutError(ValueError):
    """The header holds no usable columns, or a column was asked for that is not there."""


@dataclass(frozen=True)
class Layout:
    """Which column of a file holds which field, and how its values are written.

    ``columns`` maps a field of :data:`ALIASES` to its place. ``more_artists`` are the places of
    "artist_2" and so on, beside "artist_1"; ``artist_ids`` is the place of the artists' ids, where
    their number is that of the artists. ``scales`` holds what stands for 1 in a feature that is
    written as per cent or out of ten, ``duration_unit_ms`` the unit of a length, unless it is the heading's.
    ``notes`` says, in sentences for the operator, what was decided and is not plain from the headings.
    """

    headings: tuple[str, ...]
    columns: Mapping[str, int]
    more_artists: tuple[int, ...] = ()
    artist_ids: int | None = None
    has_plural_artists: bool = False
    pipes_part_artists: bool = True
    has_artist_lists: bool = False
    has_row_per_artist: bool = False
    decimal_commas: frozenset[str] = frozenset()
    duration_unit_ms: float | None = None
    has_minutes_first: bool = False
    has_year_first: bool = False
    scales: Mapping[str, int] = field(default_factory=dict)
    percent_by_sign: frozenset[str] = frozenset()
    has_popularity_shares: bool = False
    nothing: frozenset[str] = frozenset()
    notes: tuple[str, ...] = field(default=())

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.headings)

    @property
    def has_ids(self) -> bool:
        """Whether rows are known by Spotify id."""
        return "spotify_id" in self.columns

    @property
    def used(self) -> tuple[tuple[str, str], ...]:
        """Heading and field of each column that is read, from left to right."""
        places = [*((column, name) for name, column in self.columns.items())]
        places += [(column, "artists") for column in self._beside_artists]
        return tuple((self.headings[column], name) for column, name in sorted(places))

    @property
    def _beside_artists(self) -> tuple[int, ...]:
        return self.more_artists if self.artist_ids is None else (*self.more_artists, self.artist_ids)

    @property
    def not_used(self) -> tuple[str, ...]:
        """The headings of the other columns."""
        places = {*self.columns.values(), *self._beside_artists}
        return tuple(heading for column, heading in enumerate(self.headings) if column not in places)


def candidates(headings: Sequence[str]) -> dict[str, list[int]]:
    """Return for each field the places of the columns that are called so, the most specific name first."""
    names = [heading_name(heading) for heading in headings]
    if "nrgy" in names and "dnce" in names:
        names = [_SHORT_NAMES.get(name, name) for name in names]
    columns: dict[str, list[int]] = {}
    for wanted, aliases in ALIASES.items():
        places = [names.index(alias) for alias in map(_folded, aliases) if alias in names]
        if places:
            columns[wanted] = places
    return {**columns, **_candidates_within(names, columns)}


def _candidates_within(names: Sequence[str], columns: Mapping[str, list[int]]) -> dict[str, list[int]]:
    """Return what :func:`candidates` does, for the other fields, of names without what tables add to them."""
    used = {column for places in columns.values() for column in places}
    stems = [_ADDED.sub("", name) if column not in used else "" for column, name in enumerate(names)]
    others: dict[str, list[int]] = {}
    for wanted, aliases in ALIASES.items():
        places = [stems.index(alias) for alias in map(_folded, aliases) if alias in stems]
        if places and wanted not in columns:
            others[wanted] = places
    used |= {column for places in others.values() for column in places}
    further = fields_of(["" if column in used else name for column, name in enumerate(names)])
    return {**{wanted: places for wanted, places in further.items() if wanted not in columns}, **others}


def numbered_after(headings: Sequence[str], first: int) -> tuple[int, ...]:
    """Return the places of the headings that go on counting after "artist_1" at ``first``."""
    names = [heading_name(heading) for heading in headings]
    stem = names[first].removesuffix("1")
    if stem == names[first]:
        return ()
    counted = [f"{stem}{number}" for number in range(2, _MOST_NUMBERED + 1)]
    return tuple(names.index(name) for name in counted if name in names)


def heading_name(heading: str) -> str:
    """Return a heading as :data:`ALIASES` writes it: folded, words joined by underscores, without per cent."""
    return _PERCENT_ENDING.sub("", _folded(_NEXT_WORD.sub(" ", heading.translate(_INVISIBLE))))


@lru_cache(maxsize=2000)
def _folded(heading: str) -> str:
    return fold(heading).replace(" ", "_")


def is_percent_heading(heading: str) -> bool:
    """Return whether a heading says that its values are per cent."""
    return _PERCENT.search(heading.lower().replace("_", " ")) is not None
