"""Makes names from the words of `demo_words.toml`: each title once, each artist once."""

import random
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

_SLOT = re.compile(r"\{(\w+)\}")
_A_BEFORE_VOWEL = re.compile(r"\b([Aa])(?= [AEIOU])")
_WORDS = tomllib.loads(Path(__file__).with_name("demo_words.toml").read_text(encoding="utf-8"))


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


@dataclass(frozen=True)
class Flavour:
    """How a few kindred genres name things; ``people`` is the share of artists that are one person."""

    genres: tuple[str, ...]
    people: float
    names: str
    words: dict[str, tuple[str, ...]]


_LISTS = ("adjective", "noun", "titles", "bands", "albums")
COMMON = {name: _list(text) for name, text in _WORDS["common"].items()}
NAMES = {kind: {name: _list(text) for name, text in lists.items()} for kind, lists in _WORDS["names"].items()}
FLAVOURS = {
    name: Flavour(_list(raw["genres"]), raw["people"], raw["names"], {key: _list(raw[key]) for key in _LISTS})
    for name, raw in _WORDS["flavours"].items()
}
FLAVOUR_OF_GENRE = {genre: flavour for flavour in FLAVOURS.values() for genre in flavour.genres}
# Songs of these are about people with names from the same language.
_OWN_PEOPLE = frozenset({"brazil", "tango", "afro"})


@dataclass
class Namer:
    """Draws names with ``rng``; remembers what it gave, so that nothing is named twice."""

    rng: random.Random
    taken: set[str] = field(default_factory=set)

    def artist(self, genre: str) -> str:
        """Return the name of a new artist of ``genre``."""
        flavour = FLAVOUR_OF_GENRE[genre]
        is_person = self.rng.random() < flavour.people
        while True:
            name = self._person(flavour) if is_person else self._fill(self.rng.choice(flavour.words["bands"]), flavour)
            if self._take(f"artist {name}"):
                return name

    def title(self, genre: str) -> str:
        """Return the title of a new song of ``genre``."""
        return self._new("title", FLAVOUR_OF_GENRE[genre].words["titles"], FLAVOUR_OF_GENRE[genre])

    def album(self, genre: str) -> str:
        """Return the title of a new album of ``genre``."""
        flavour = FLAVOUR_OF_GENRE[genre]
        # A flavour has few patterns for albums: one that is used up borrows from the patterns of songs.
        return self._new("album", (*flavour.words["albums"] * 2, *flavour.words["titles"]), flavour)

    def place(self) -> str:
        """Return an invented place."""
        return self.rng.choice(COMMON["town"])

    def _new(self, kind: str, patterns: tuple[str, ...], flavour: Flavour) -> str:
        while True:
            name = self._fill(self.rng.choice(patterns), flavour)
            if self._take(f"{kind} {name}"):
                return name

    def _take(self, name: str) -> bool:
        key = name.casefold()
        if key in self.taken:
            return False
        self.taken.add(key)
        return True

    def _person(self, flavour: Flavour) -> str:
        names = NAMES[flavour.names]
        head, tail = self.rng.choice(names["head"]), self.rng.choice(names["tail"])
        if head[-1] == tail[0]:
            tail = tail[1:]
        return f"{self.rng.choice(names['first'])} {head}{tail}"

    def _fill(self, pattern: str, flavour: Flavour) -> str:
        used: set[str] = set()

        def word(match: re.Match[str]) -> str:
            choices = [word for word in self._choices(match[1], flavour) if word not in used]
            chosen = self.rng.choice(choices)
            used.add(chosen)
            return chosen

        name = _A_BEFORE_VOWEL.sub(r"\1n", _SLOT.sub(word, pattern))
        return name[0].upper() + name[1:]

    @staticmethod
    def _choices(slot: str, flavour: Flavour) -> tuple[str, ...]:
        if slot in flavour.words:
            return flavour.words[slot]
        if slot == "person" and flavour.names in _OWN_PEOPLE:
            return NAMES[flavour.names]["first"]
        return COMMON[slot]
