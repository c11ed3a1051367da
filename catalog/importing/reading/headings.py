"""Headings that no known table has, but whose words all say what a column holds: "Performed By", "Duration (min)"."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class _Words(NamedTuple):
    """Words that name a field, and words that may be beside them."""

    nouns: frozenset[str]
    others: frozenset[str]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _words(nouns: str, others: str = "") -> _Words:
    return _Words(_set(nouns), _set(others))


# Words that say nothing about the field.
_COMMON = _set("of the de la del in and or a an s is has spotify track song music audio")
_MILLISECONDS = _set("ms msec millis milliseconds millisekunden milisegundos millisecondes millisecondi")
_SECONDS = _set("s sec secs second seconds sekunden segundos secondes secondi")
_MINUTES = _set("min mins minute minutes minuten minutos minuti")
_CLOCK = _set("h hh hhmmss m mm mmss ss format")
_SCORE = "score value level index rating percent 0 1 10 100 out mean avg average"
_FEATURES = {
    "danceability": "danceability bailabilidad tanzbarkeit dansabilite ballabilita dancabilidade",
    "energy": "energy energia energie",
    "loudness": "loudness lautheit",
    "speechiness": "speechiness",
    "acousticness": "acousticness acusticidad acousticite acusticita akustik",
    "instrumentalness": "instrumentalness instrumentalidad instrumentalitat instrumentalite",
    "liveness": "liveness",
    "valence": "valence valencia valenz valenza positiveness positivity happiness",
    "tempo": "tempo bpm",
    "key": "key tonart tonalidad tonalite tonalita tonalidade",
    "mode": "mode modus",
    "time_signature": "taktart metre",
}
_FIELDS: Mapping[str, _Words] = {
    "title": _words("title song track", "name full original"),
    "artists": _words(
        "artist artists singer singers band bands performer performers performed musician musicians",
        "name names full by main primary first lead album display group recording credited",
    ),
    "album": _words("album", "name title release"),
    "popularity": _words("popularity beliebtheit popularitat popularite popularidad popularidade", _SCORE),
    "duration": _words(
        "duration length runtime dauer spieldauer duree duracion durata duracao laufzeit",
        " ".join(_MILLISECONDS | _SECONDS | _MINUTES | _CLOCK),
    ),
    "explicit": _words("explicit explizit explicito", "content lyrics flag language 0 1"),
    "release_year": _words("year released release jahr annee ano anno", "date album original first published"),
    "isrc": _words("isrc", "code id number"),
    "genres": _words("genre genres genero generos genere", "main primary top artist artists list tag tags name names"),
    **{name: _words(nouns, _SCORE) for name, nouns in _FEATURES.items()},
}


def fields_of(names: Sequence[str]) -> dict[str, list[int]]:
    """Return for each field the places of the headings whose words all belong to it.

    ``names`` are folded, with an underscore between words.
    """
    places: dict[str, list[int]] = {}
    for column, name in enumerate(names):
        if field := _field_of(frozenset(name.split("_"))):
            places.setdefault(field, []).append(column)
    return places


def _field_of(words: frozenset[str]) -> str:
    for field, (nouns, others) in _FIELDS.items():
        if words & nouns and words <= nouns | others | _COMMON:
            return _with_unit(words) if field == "duration" else field
    return ""


def _with_unit(words: frozenset[str]) -> str:
    """Return the field of a duration in the unit that the heading names, or of one whose unit the values tell."""
    is_minutes, is_seconds = bool(words & _MINUTES), bool(words & _SECONDS)
    if words & _MILLISECONDS:
        return "duration_ms"
    if words & _CLOCK or is_minutes == is_seconds:
        return "duration"
    return "duration_min" if is_minutes else "duration_s"
