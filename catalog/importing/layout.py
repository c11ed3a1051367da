"""Which column of a file holds which field: the names that public song tables use."""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from catalog.features import FEATURE_NAMES

# The first name found wins. A playlist's genre (``playlist_genre``, ``playlist_subgenre``) is missing on purpose: it
# says where a song was listed, not what it is, and used as a song's genre it would give away who listed it.
ALIASES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "spotify_id": (
            "track_id", "spotify_id", "spotify_track_id", "track_uri", "spotify_uri", "spotify_track_uri", "uri",
            "track_url", "spotify_url", "id",
        ),
        "title": ("track_name", "title", "name", "song", "track", "song_name", "song_title", "track_title"),
        "artists": (
            "artists", "artist_names", "artist_name_s", "track_artists", "artist_s", "track_artist", "artist_name",
            "artist",
        ),
        "album": ("album_name", "album", "track_album_name", "album_title"),
        "popularity": ("popularity", "track_popularity"),
        "duration_ms": ("duration_ms", "track_duration_ms", "length_ms"),
        "duration_s": ("duration_s", "duration_sec", "duration_seconds", "length_s", "length_seconds"),
        "duration_min": ("duration_min", "duration_mins", "duration_minutes"),
        "duration": ("duration", "length"),
        "explicit": ("explicit", "is_explicit", "track_explicit"),
        "release_year": (
            "release_year", "year", "release_date", "track_album_release_date", "album_release_date",
            "album_release_year", "track_release_date",
        ),
        "preview_url": ("preview_url", "track_preview_url"),
        "isrc": ("isrc", "track_isrc"),
        "genres": ("track_genre", "track_genres", "genres", "genre"),
        **{name: (name,) for name in FEATURE_NAMES},
    }
)  # fmt: skip
DURATION_FIELDS = ("duration_ms", "duration_s", "duration_min", "duration")
DELIMITERS = (",", ";", "\t")
# A heading in the plural announces several names in one field.
_PLURAL = frozenset({"artists", "artist_names", "artist_name_s", "track_artists", "artist_s"})
_NOT_NAME = re.compile(r"[^0-9a-z]+")


class LayoutError(ValueError):
    """The header holds no usable columns."""


@dataclass(frozen=True)
class Layout:
    """How to read the rows below a header.

    ``columns`` maps a field of :data:`ALIASES` to its place; of several durations only the most exact is in it.
    """

    delimiter: str
    width: int
    columns: Mapping[str, int]
    has_plural_artists: bool

    @property
    def has_ids(self) -> bool:
        """Whether rows are known by Spotify id."""
        return "spotify_id" in self.columns


def read_layout(header: str) -> Layout:
    """Return the layout that the header line ``header`` announces, its delimiter found by trying.

    Raises:
        LayoutError: no column for titles, or neither ids nor artists to tell songs apart by.
    """
    layouts = [_layout(header, delimiter) for delimiter in DELIMITERS]
    layout = max(layouts, key=lambda candidate: (len(candidate.columns), candidate.width))
    if "title" not in layout.columns or not {"spotify_id", "artists"} & layout.columns.keys():
        shown = header if len(header) <= 200 else header[:200] + "..."
        raise LayoutError(
            "no usable columns: a title (track_name, name or title) and an id (track_id) or artists are needed, "
            f"the first line is {shown!r}"
        )
    return layout


def _layout(header: str, delimiter: str) -> Layout:
    try:
        headings = next(csv.reader([header], delimiter=delimiter), [])
    except csv.Error:
        headings = []
    names = [_NOT_NAME.sub("_", heading.strip().lower()).strip("_") for heading in headings]
    columns: dict[str, int] = {}
    artists_heading = ""
    for field, aliases in ALIASES.items():
        found = next((alias for alias in aliases if alias in names), None)
        if found is None:
            continue
        columns[field] = names.index(found)
        if field == "artists":
            artists_heading = found
    for less_exact in [field for field in DURATION_FIELDS if field in columns][1:]:
        del columns[less_exact]
    return Layout(delimiter, len(headings), MappingProxyType(columns), artists_heading in _PLURAL)
