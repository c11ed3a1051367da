"""Placeholders that files and programs write for a missing artist, album or title."""

from functools import lru_cache

# Words that are never a name, whatever else the file contains. Songs and artists really are called "None" or "NA".
NO_NAME = frozenset({
    "", "\\N", "#N/A", "#NA", "<NA>", "<null>", "<none>", "NULL", "nan", "NaN", "empty_field",
    "[unknown]", "<unknown>",
})  # fmt: skip
# In lower case, these are not an artist or album, but may be a song.
_UNKNOWN = frozenset({
    "?", "--", "(unknown)", "[unknown]", "<unknown>", "(null)", "(blank)", "(empty)", "(none)",
    "<null>", "null", "n/a", "n.a.", "undefined", "#ref!",
    "#value!", "<unset>", "unknown album", "<unknown album>", "[unknown album]",
})  # fmt: skip
# An album can be called so, in small letters; an artist cannot.
_UNKNOWN_ARTISTS = _UNKNOWN | {
    "-", "\u2013", "\u2014", "0", "-1", "unknown artist", "[unknown artist]", "<unknown artist>",
    "unbekannter interpret", "unbekannter künstler", "artiste inconnu", "artista desconocido", "artista desconhecido",
    "artista sconosciuto", "onbekende artiest", "okänd artist", "ukjent artist", "ukendt kunstner",
    "tuntematon esittäjä", "nieznany wykonawca", "neznámý interpret", "ismeretlen előadó", "artist necunoscut",
    "bilinmeyen sanat\u00e7\u0131", "άγνωστος καλλιτέχνης",
    "неизвестный исполнитель", "невідомий виконавець", "فنان غير معروف",
    "אמן לא ידוע", "अज्ञात कलाकार", "ไม่ทราบศิลปิน", "nghệ sĩ không xác định", "不明", "不明なアーティスト",
    "未知艺术家",
    "未知藝術家", "未知歌手", "알 수 없는 아티스트",
}  # fmt: skip
# Only in lower case: there is a band called "Missing".
_SMALL = frozenset({"missing"})


@lru_cache(maxsize=10_000)
def is_no_artist(name: str) -> bool:
    """Return whether the name of an artist only says that there is none, or that nobody knows."""
    return name in NO_NAME or name in _SMALL or name.casefold() in _UNKNOWN_ARTISTS


@lru_cache(maxsize=10_000)
def is_no_album(name: str) -> bool:
    """Return whether the name of an album only says that there is none, or that nobody knows."""
    return name in NO_NAME or name.casefold() in _UNKNOWN
