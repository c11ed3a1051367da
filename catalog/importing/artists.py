"""Telling the artists of one field apart.

A semicolon always parts artists, and a list ``['A', 'B']`` says itself what it holds. A comma is the hard case: some
tables write "Dua Lipa, Angèle", and some bands are called "Earth, Wind & Fire". So a file is looked through once
before it is read, and of every field with a comma (and no semicolon) it is decided, in this order:

1. a name, if the file shows it whole as one part of a semicolon field or a list;
2. several artists, if each part also stands alone somewhere in the file;
3. a name, if commas are not this file's way of parting artists: of its fields with commas less than a quarter follow
   rule 2 (with fewer than 20 such fields: if it also uses semicolons or its heading is in the singular);
4. a name, if no blank follows the comma ("nothing,nowhere.");
5. a name, if its last part does not stand alone and reads like the end of one: "Jr.", "Wind & Fire", or after a single
   comma and a part that does not stand alone either, "The Valuator";
6. a name, if the same field credits four songs or more: bands do, guests seldom;
7. several artists.
"""

import re
from collections import Counter
from collections.abc import Iterable

from catalog.importing.values import parse_list, parse_text

NAME_LENGTH = 300
# Bounds on the memory that looking through a file takes; what comes after them in the file is no longer evidence.
MAX_NAMES = 500_000
MAX_COMMA_FIELDS = 100_000
_COMMA = re.compile(r",\s*")
_END_OF_NAME = re.compile(r"(?:jr|sr|and)\b|&\s|.* (?:&|and|y|e|und|et|och) ", re.IGNORECASE)
_ENOUGH_FIELDS = 20
_SHARE_OF_LISTS = 0.25
_SONGS_OF_A_BAND = 4


class ArtistSplitter:
    """Splits the artists of a field into names, after :meth:`learn` has seen the file's fields."""

    def __init__(self, *, is_plural: bool = True) -> None:
        self._is_plural = is_plural
        self._uses_semicolons = False
        # Hashes instead of names: they are only looked up.
        self._names: set[int] = set()
        self._comma_fields: Counter[str] = Counter()
        self._commas_part: bool | None = None

    def learn(self, texts: Iterable[str]) -> None:
        """Take in the artist fields of some rows."""
        for text, count in Counter(texts).items():
            names = _without_doubt(text)
            if names is None:
                if len(self._comma_fields) < MAX_COMMA_FIELDS:
                    self._comma_fields[text.strip()] += count
                continue
            self._uses_semicolons = self._uses_semicolons or ";" in text
            if len(self._names) < MAX_NAMES:
                self._names.update(hash(name.casefold()) for name in names)

    def __call__(self, text: str) -> tuple[str, ...]:
        """Return the names in ``text``, in order, each once.

        Raises:
            ValueError: a name is longer than the catalogue keeps.
        """
        names = _without_doubt(text)
        if names is None:
            names = self._split_at_commas(text.strip())
        return tuple(dict.fromkeys(parse_text("artists", name, NAME_LENGTH) for name in names))

    def _split_at_commas(self, text: str) -> list[str]:
        parts = [part for part in _COMMA.split(text) if part]
        return parts if parts and self._is_several(text, parts) else [text]

    def _is_several(self, text: str, parts: list[str]) -> bool:
        if self._stands_alone(text):
            return False
        if all(map(self._stands_alone, parts)):
            return True
        if not self._do_commas_part_artists() or ", " not in text:
            return False
        if self._reads_like_a_name(parts):
            return False
        return self._comma_fields[text] < _SONGS_OF_A_BAND

    def _reads_like_a_name(self, parts: list[str]) -> bool:
        if self._stands_alone(parts[-1]):
            return False
        if parts[-1].lower().startswith("the "):
            return len(parts) == 2 and not self._stands_alone(parts[0])
        return _END_OF_NAME.match(parts[-1]) is not None

    def _do_commas_part_artists(self) -> bool:
        if self._commas_part is None:
            fields = [_COMMA.split(text) for text in self._comma_fields if ", " in text]
            if len(fields) < _ENOUGH_FIELDS:
                self._commas_part = self._is_plural and not self._uses_semicolons
            else:
                lists = sum(all(map(self._stands_alone, parts)) for parts in fields)
                self._commas_part = lists >= _SHARE_OF_LISTS * len(fields)
        return self._commas_part

    def _stands_alone(self, name: str) -> bool:
        return hash(name.casefold()) in self._names


def _without_doubt(text: str) -> list[str] | None:
    """Return the names where no comma makes them doubtful."""
    names = parse_list(text)
    if names is None:
        if ";" not in text and "," in text:
            return None
        names = text.split(";")
    return [name for name in map(str.strip, names) if name]
