"""Maps names to artists of the database.

Names equal by :func:`catalog.identity.text.fold_name` are one artist, until a file holds two of them that only signs or
stroked letters tell apart ("Magic" and "MAGIC!", "Zoé" and "Zøe"): then each is its own. The one without such signs has
the plain key, the others a key of their own, which is found again whatever file comes next. An artist with such signs
who has the plain key so far gets another key, and stays who it is.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from catalog.identity.text import artist_key, exact_artist_key, exact_name, fold_name, is_plain, is_told_by_signs

MAX_REMEMBERED = 20_000
_PLAIN_MEMORY = 50_000


class StoredArtist(NamedTuple):
    """An artist as the database holds it."""

    pk: int
    key: str
    name: str


Fetch = Callable[[Iterable[str]], Iterator[StoredArtist]]
"""``fetch(keys)``: the artists of those keys."""


class ArtistNames:
    """Tells which key each name has, and remembers the artists of the database between chunks.

    ``told_apart`` are hashes of the folded names that several artists of the file share.
    """

    def __init__(self, fetch: Fetch, told_apart: frozenset[int] = frozenset()) -> None:
        self._fetch = fetch
        self._told_apart = told_apart
        self._stored: dict[str, StoredArtist | None] = {}
        self._keys: dict[str, str] = {}
        self._plain_keys: dict[str, str] = {}
        self._freed: dict[str, StoredArtist] = {}

    def forget(self) -> None:
        """Forget what the database held."""
        self._stored.clear()
        self._keys.clear()
        self._freed.clear()

    def file_key(self, name: str) -> str:
        """Return the key that tells ``name`` from the other names of the file, whatever the database holds."""
        if self._told_apart and self._is_told_apart(name):
            return exact_artist_key(name)
        return self._plain_key(name)

    def key(self, name: str) -> str:
        """Return the key of the artist of that name; :meth:`look_up` has seen the name."""
        return self._keys[name]

    def artist(self, name: str) -> StoredArtist:
        """Return the artist of that name, who is in the database by now."""
        artist = self._stored[self._keys[name]]
        assert artist is not None
        return artist

    def look_up(self, names: Iterable[str]) -> None:
        """Look up the artists of ``names``."""
        if len(self._keys) > MAX_REMEMBERED and not self._freed:
            self.forget()
        new = [name for name in dict.fromkeys(names) if name not in self._keys]
        exact = {name: exact_artist_key(name) for name in new if _is_signed(name)}
        self._load([*map(self._plain_key, new), *exact.values()])
        if self._told_apart:
            self._free({self._plain_key(name) for name in new if hash(fold_name(name)) in self._told_apart})
        for name in new:
            self._keys[name] = self._resolved(name, exact.get(name))

    def current(self, key: str) -> str:
        """Return the new key of an artist whose stored key is ``key``."""
        return self._freed[key].key if key in self._freed else key

    def take_freed(self) -> list[StoredArtist]:
        """Return the artists that must get another key, and assume that they have it now."""
        freed = list(self._freed.values())
        self._freed.clear()
        return freed

    def missing(self, names: Iterable[str]) -> dict[str, str]:
        """Return the names of artists to be added, by key; :meth:`look_up` has seen ``names``."""
        missing: dict[str, str] = {}
        for name in names:
            key = self._keys[name]
            if self._stored.get(key) is None:
                missing.setdefault(key, name)
        return missing

    def load(self, keys: Iterable[str]) -> None:
        """Read artists that were just added."""
        for artist in self._fetch(keys):
            self._stored[artist.key] = artist

    def credited(self, names: Sequence[str]) -> list[StoredArtist]:
        """Return each artist of ``names`` once: names may differ only in spelling."""
        return list(dict.fromkeys(map(self.artist, names)))

    def _free(self, keys: Iterable[str]) -> None:
        """Give artists of those plain keys whose names hold signs the keys that tell them apart."""
        artists = [artist for key in keys if (artist := self._stored.get(key)) is not None]
        signed = {artist.key: exact_artist_key(artist.name) for artist in artists if _is_signed(artist.name)}
        self._load(signed.values())
        for artist in artists:
            own = signed.get(artist.key)
            if own is not None and self._stored.get(own) is None:
                self._stored[artist.key] = None
                self._freed[artist.key] = self._stored[own] = artist._replace(key=own)

    def _resolved(self, name: str, exact: str | None) -> str:
        plain = self._plain_key(name)
        if exact is None:
            return plain
        if self._stored.get(exact) is not None:
            return exact
        known = self._stored.get(plain)
        if known is not None and exact_name(known.name) == exact_name(name):
            return plain
        return exact if self._is_told_apart(name) else plain

    def _is_told_apart(self, name: str) -> bool:
        return hash(fold_name(name)) in self._told_apart and _is_signed(name)

    def _load(self, keys: Iterable[str]) -> None:
        unseen = [key for key in dict.fromkeys(keys) if key not in self._stored]
        self._stored.update(dict.fromkeys(unseen))
        self.load(unseen)

    def _plain_key(self, name: str) -> str:
        key = self._plain_keys.get(name)
        if key is None:
            if len(self._plain_keys) > _PLAIN_MEMORY:
                self._plain_keys.clear()
            key = self._plain_keys[name] = artist_key(name)
        return key


def _is_signed(name: str) -> bool:
    """Return whether signs or stroked letters may tell ``name`` from another."""
    return not is_plain(name) and is_told_by_signs(fold_name(name), exact_name(name))
