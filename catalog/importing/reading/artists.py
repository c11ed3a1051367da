"""Splitting the artists of one field. A semicolon always separates artists, a pipe if the column uses it so, and a list
``['A', 'B']`` says itself what it holds.
A comma is the hard case: some
tables write "Dua Lipa, Angèle", and some bands are called "Earth, Wind & Fire". So a file is looked through once
before it is read, and of every field with a comma (and no semicolon) it is decided, in this order:

0. as many artists as a column beside it has ids of, and where the file writes the commas of names with a backslash, as
   many as the other commas part;
1. a name, if the file shows it whole as one part of a semicolon field or a list;
2. several artists, if each part also stands alone somewhere in the file, or has two words or more ("Lena Voss, Jo
   Kern") in a file without semicolons, and the last one does not read like the end of a name;
3. a name, if commas are not this file's way of parting artists: of its fields with commas less than a quarter follow
   rule 2 (with fewer than 20 such fields: if it also uses semicolons or its heading is in the singular);
4. a name, if no blank follows the comma ("nothing,nowhere.");
5. a name, if its last part does not stand alone and reads like the end of one: "Jr.", "Wind & Fire", or after a single
   comma and a part that does not stand alone either, "The Valuator";
6. a name, if the same field credits four songs or more: bands do, guests seldom;
7. several artists.

What is a name by these rules is one within longer lists, too ("Earth, Wind & Fire, Kylie"). "feat." always parts
artists. Other signs (" / ", "、", a pipe where hardly any field holds one) part them where each part also stands alone.

Names that only signs tell apart ("Magic" and "MAGIC!") are noted on the way: in a file that holds both they are two.
"""

import re
from collections.abc import Collection, Iterable

from catalog.identity.commas import has_escapes, in_so_many, joined_parts, parts_of
from catalog.identity.nobody import is_no_artist
from catalog.identity.text import exact_name, fold_name, is_plain, is_told_by_signs
from catalog.importing.reading.lists import parse_cut_list, parse_list, unescaped
from catalog.importing.reading.values import parse_text

NAME_LENGTH = 300
# Bounds on memory; later rows of the file are no longer used as evidence.
MAX_NAMES = 500_000
MAX_COMMA_FIELDS = 100_000
_COMMA = re.compile(r",\s*")
# Signs that separate artists if each part also occurs alone; names contain them as well.
_DOUBTFUL = re.compile(r"(?:(?<!\s)\s+)?(?:\||\s/\s|[\u3001\uff0c\uff1b\u060c\uff5c]|\s\xb7\s|\\\\|\n)\s*")
# Guests named behind an artist, but not within a list. MC 900 Ft. Jesus is one: those are feet.
_GUEST = re.compile(r"(?<!\s)(?<!\bMC 900)\s+[(\[]?(?:feat\.?|ft\.?|featuring)\s+(?![^\[\]]{0,200}\])", re.IGNORECASE)
_END_OF_NAME = re.compile(r"(?:jr|sr|and)\b|&\s|.* (?:&|and|y|e|und|et|och) ", re.IGNORECASE)
_ENOUGH_FIELDS = 20
_SHARE_OF_LISTS = 0.25
_SONGS_OF_A_BAND = 4
# Crosby, Stills, Nash & Young have three parts.
_MOST_IN_A_NAME = 5


class ArtistSplitter:
    """Splits the artists of a field into names, after :meth:`learn` has seen the file's fields.

    ``nothing`` are words that are no artist in this file, beside those that never are.
    """

    def __init__(
        self,
        *,
        is_plural: bool = True,
        pipes_part: bool = True,
        may_be_bare: bool = False,
        nothing: Collection[str] = (),
    ) -> None:
        self._is_plural = is_plural
        self._signs = re.compile("[;|]" if pipes_part else ";")
        self._may_be_bare = may_be_bare
        self._nothing = frozenset(nothing)
        self._uses_semicolons = False
        # Hashes instead of names, because they are only looked up.
        self._names: set[int] = set()
        self._comma_fields: dict[str, set[int]] = {}
        self._commas_part: bool | None = None
        self._has_escapes = False
        # How many artists a field with commas has, by the ids beside it.
        self._counted: dict[str, int] = {}
        # Hashes of the names with a comma, found when all fields were seen.
        self._whole: set[int] | None = None
        # How names that signs may tell from others are written, by folded name; 0: in several ways. And those
        # without signs, where case is not all that folding takes from them.
        self._signed: dict[int, int] = {}
        self._plain: set[int] = set()

    def learn(self, texts: Iterable[str], titles: Iterable[str] | None = None) -> None:
        """Take in the artist fields of some rows; ``titles`` tell repeated rows of a song from other songs."""
        seen: set[str] = set()
        fields = zip(texts, titles, strict=True) if titles is not None else ((text, None) for text in texts)
        for text, title in fields:
            if text in seen:
                continue
            if (text.count("&") and unescaped(text) != text) or _GUEST.search(text):
                self.learn(_GUEST.split(unescaped(text)))
                seen.add(text)
                continue
            names = self._without_doubt(text)
            if names is None:
                self._note_comma_field(text.strip(), title)
                continue
            self._has_escapes = self._has_escapes or has_escapes(text)
            seen.add(text)
            self._uses_semicolons = self._uses_semicolons or ";" in text
            if len(self._names) < MAX_NAMES:
                self._note(names)

    def learn_counts(self, texts: Iterable[str], counts: Iterable[int]) -> None:
        """Take in how many artists fields have, before :meth:`learn` sees them; 0 where it is not known."""
        for text, count in zip(texts, counts, strict=True):
            if count and "," in text and len(self._counted) < MAX_COMMA_FIELDS:
                self._counted.setdefault(text.strip(), count)

    def _note_comma_field(self, text: str, title: str | None) -> None:
        if len(self._comma_fields) < MAX_COMMA_FIELDS or text in self._comma_fields:
            songs = self._comma_fields.setdefault(text, set())
            if len(songs) < _SONGS_OF_A_BAND:
                songs.add(len(songs) if title is None else hash(title))

    def _note(self, names: Iterable[str]) -> None:
        for name in names:
            spelling = hash(name.casefold())
            if spelling not in self._names:
                self._names.add(spelling)
                self._note_signs(name)

    def _note_signs(self, name: str) -> None:
        if is_plain(name):
            return
        folded, exact = fold_name(name), exact_name(name)
        if is_told_by_signs(folded, exact):
            known = self._signed.setdefault(hash(folded), hash(exact))
            if known != hash(exact):
                self._signed[hash(folded)] = 0
        else:
            self._plain.add(hash(folded))

    def told_apart(self) -> frozenset[int]:
        """Return the hashes of the folded names that several artists of the file share."""
        for text in self._comma_fields:
            for name in self._split_at_commas(text):
                self._note_signs(name)
        shared = {folded for folded, exact in self._signed.items() if not exact}
        return frozenset(shared | (self._signed.keys() & (self._names | self._plain)))

    def __call__(self, text: str) -> tuple[str, ...]:
        """Return the names in ``text``, in order, each once.

        Raises:
            ValueError: a name is longer than the catalogue keeps.
        """
        text = unescaped(text) if "&" in text else text
        if _GUEST.search(text):
            parts = (part.strip(" ()[]") for part in _GUEST.split(text))
            return tuple(dict.fromkeys(name for part in parts for name in self(part)))
        names = self._without_doubt(text)
        if names is None:
            names = self._split_at_commas(text.strip())
        if len(names) == 1 and _DOUBTFUL.search(names[0]):
            names = self._split_where_known(names[0])
        parsed = dict.fromkeys(parse_text("artists", name, NAME_LENGTH) for name in names)
        return tuple(name for name in parsed if not is_no_artist(name) and name not in self._nothing)

    def _split_where_known(self, name: str) -> list[str]:
        parts = [part for part in _DOUBTFUL.split(name) if part]
        return parts if len(parts) > 1 and all(map(self._stands_alone, parts)) else [name]

    def _split_at_commas(self, text: str) -> list[str]:
        if text in self._counted:
            return in_so_many(text, self._counted[text], self._stands_alone)
        parts = self._parts(text)
        return parts if parts and self._is_several(text, parts) else [text]

    def _parts(self, text: str) -> list[str]:
        """Return what the commas part, but leave names together that the file shows whole elsewhere."""
        parts = parts_of(text)
        if self._whole is None:
            self._find_whole_names()
        if len(parts) < 3 or len(_COMMA.findall(text)) != len(parts) - 1:
            return parts
        ends: list[int] = []
        first = 0
        while first < len(parts):
            # The whole field itself is not meant.
            last = min(len(parts) - (first == 0), first + _MOST_IN_A_NAME)
            known = (end for end in range(last, first + 1, -1) if self._stands_alone(", ".join(parts[first:end])))
            first = next(known, first + 1)
            ends.append(first)
        return joined_parts(text, ends)

    def _find_whole_names(self) -> None:
        """Note the fields with commas that are names, shorter ones first, as they may be in others."""
        self._whole = set()
        for text in sorted(self._comma_fields, key=lambda text: text.count(",")):
            for name in self._split_at_commas(text):
                if "," in name:
                    self._whole.add(_key(name))

    def _is_several(self, text: str, parts: list[str]) -> bool:
        if self._stands_alone(text):
            return False
        if self._has_escapes or all(map(self._stands_alone, parts)):
            return True
        if self._reads_like_a_name(parts):
            return False
        if any(map(self._is_surely_one, parts)) or self._are_full_names(text, parts):
            return True
        if not self._do_commas_part_artists() or ", " not in text:
            return False
        return len(self._comma_fields.get(text, ())) < _SONGS_OF_A_BAND

    def _is_surely_one(self, name: str) -> bool:
        """Return whether a part has commas and is a name, so that the comma beside it parts artists."""
        if "," not in name:
            return False
        return hash(name.casefold()) in self._names or self._reads_like_a_name(parts_of(name))

    def _are_full_names(self, text: str, parts: list[str]) -> bool:
        is_open = ", " in text or self._is_plural
        return is_open and not self._uses_semicolons and all(" " in part for part in parts)

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
        return hash(name.casefold()) in self._names or (
            self._whole is not None and "," in name and _key(name) in self._whole
        )

    def _without_doubt(self, text: str) -> list[str] | None:
        """Return the names of a field without ambiguous commas."""
        names = parse_list(text, may_be_bare=self._may_be_bare)
        if names is None:
            names = parse_cut_list(text)
        if names is None:
            names = self._signs.split(text)
            if has_escapes(text):
                # Where semicolons part, commas without a backslash belong to names.
                names = [part.replace("\\,", ",") for part in names] if len(names) > 1 else parts_of(text)
            elif len(names) == 1 and "," in text:
                return None
            if "['" in text or '["' in text:
                names = [name for part in names for name in parse_list(part) or [part]]
        return [name for name in map(_unquoted, names) if name]


def _key(name: str) -> int:
    """Return a number by which a name with commas is known, whatever blanks follow them."""
    return hash(", ".join(parts_of(name)).casefold())


def _unquoted(name: str) -> str:
    """Return ``name`` without surrounding blanks and without quotes left over from a badly split list."""
    name = name.strip()
    if len(name) > 2 and name[0] == name[-1] and name[0] in "'\"" and name[0] not in name[1:-1]:
        return name[1:-1].strip()
    return name
