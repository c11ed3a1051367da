"""Search over songs, artists and genres, on folded words: case, accents and punctuation do not matter.

If nothing matches, typing errors are corrected (:mod:`catalog.search.words`, :mod:`catalog.search.context`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from itertools import chain
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import StrIndex

from catalog.identity.text import artist_key, fold
from catalog.models import Artist, Genre, Track, TrackArtist, TrackQuerySet
from catalog.search.context import in_context, initials, initials_within
from catalog.search.index import holding, matching, popular_first, shown_by_index
from catalog.search.words import alternatives

MAX_QUERY_LENGTH = 200
MAX_WORDS = 12
# Up to this many matches are all ranked; for more common words, only the most popular.
RANKED = 2000
# For a common word, up to this many titles that begin with it are all ranked.
PREFIXED = 500
# Number of candidates of each kind (popular, title begins with it, equals it, artist equals it) for a common word.
COMMON = 80
SHOWN_ARTISTS = 6
SHOWN_GENRES = 6
GenreLink = Track.genres.through
_END = "\U0010ffff"


class Tier(IntEnum):
    """How well a song answers a query; lower is better."""

    TITLE = 0
    TITLE_PREFIX = 1
    ARTIST = 2
    WORDS = 3


@dataclass(frozen=True)
class SearchResults:
    """What a query found: ids of shown songs, best first; ``is_partial`` when there were too many to rank all.

    ``corrected`` are the words that were searched for in place of those that nothing has.
    """

    track_ids: list[int] = field(default_factory=list)
    is_partial: bool = False
    artists: list[Artist] = field(default_factory=list)
    genres: list[Genre] = field(default_factory=list)
    corrected: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found."""
        return not (self.track_ids or self.artists or self.genres)


class _Row(NamedTuple):
    pk: int
    popularity: int | None
    title: str
    artist_names: str
    search_key: str


def words_of(query: str) -> list[str]:
    """Return the folded words of a query: at most :data:`MAX_WORDS`, none for an empty query."""
    return fold(query[:MAX_QUERY_LENGTH].replace("\x00", " ")).split()[:MAX_WORDS]


def search(query: str) -> SearchResults:
    """Find songs whose title, artists and album together hold all words of ``query``, the last one as a prefix.

    Songs are ranked by :class:`Tier`, then popularity. Artists and genres match by name alone. If nothing matches, the
    probably intended words are searched.
    """
    words = words_of(query)
    if not words:
        return SearchResults()
    results = _search(words, query, initials(words))
    if results.is_empty:
        for spelled in initials_within(words):
            others = _search(spelled, " ".join(spelled))
            if not others.is_empty:
                return others
        for meant in chain(alternatives(words), in_context(words)):
            corrected = _search(meant, " ".join(meant))
            if not corrected.is_empty:
                return replace(corrected, corrected=" ".join(meant))
    return results


def _search(words: Sequence[str], query: str, spelled: Sequence[str] | None = None) -> SearchResults:
    """Return what ``words`` find, and those songs that hold them as they are otherwise ``spelled``."""
    ids = _ids(words, query)
    is_partial = len(ids) > RANKED
    rows = _common_rows(words) if is_partial else _rows(Track.objects.filter(pk__in=ids))
    phrases = [" ".join(words)]
    others = set(_phrase_ids(" ".join(spelled))) - {row.pk for row in rows} if spelled else set()
    if spelled and others:
        phrases.append(" ".join(spelled))
        rows += _rows(Track.objects.filter(pk__in=others))
    ranked = [pk for _tier, _popularity, pk in sorted(min(_rank(row, phrase) for phrase in phrases) for row in rows)]
    artists = _artists(words, rows)
    if spelled and others:
        artists = list(dict.fromkeys([*_artists(spelled, rows), *artists]))[:SHOWN_ARTISTS]
    return SearchResults(ranked, is_partial, artists, _genres(words))


def _phrase_ids(phrase: str) -> list[int]:
    """Return the ids of songs that hold the words of ``phrase`` one after the other."""
    if connection.vendor == "mysql" and " " in phrase:
        # Letters are not in its index; they are looked for where nothing else is found.
        return []
    return matching([phrase], RANKED)


def filter_tracks(tracks: QuerySet[Any], query: str) -> QuerySet[Any]:
    """Return those of ``tracks``, hidden ones included, that match ``query``; all of them for an empty one."""
    words = words_of(query)
    if not words:
        return tracks
    ids = _ids(words, query)
    if len(ids) <= RANKED:
        return tracks.filter(pk__in=ids)
    return tracks.filter(pk__in=holding(words, Track.objects.order_by()))


def _ids(words: Sequence[str], query: str) -> list[int]:
    """Return the ids of matching songs, hidden ones included; more than :data:`RANKED` for common words."""
    if any(sign.isalnum() for sign in words[0]):
        return matching(words, RANKED + 1)
    # A name made of signs alone ("!!!", "???") is no word: no index knows it, titles and artist names do.
    signs = query[:MAX_QUERY_LENGTH].replace("\x00", " ").strip()
    named = Q(title__icontains=signs) | Q(credits__artist__search_name__startswith=" ".join(words))
    return list(Track.objects.filter(named).order_by().distinct().values_list("pk", flat=True)[:RANKED])


def _rows(tracks: TrackQuerySet) -> list[_Row]:
    columns = tracks.active().values_list("pk", "popularity", "title", "artist_names", "search_key")
    return [_Row(*row) for row in columns.order_by()]


def _common_rows(words: Sequence[str]) -> list[_Row]:
    """Return the songs that matter most among very many: each kind by popularity, looking at few of them."""
    phrase = " ".join(words)
    popular = shown_by_index().order_by(*popular_first())
    ids = set(holding(words, popular).values_list("pk", flat=True)[:COMMON])
    ids.update(_title_prefix_ids(phrase, popular))
    exact_artist = Track.objects.active().filter(credits__artist__key=artist_key(phrase)).order_by(*popular_first())
    ids.update(exact_artist.values_list("pk", flat=True)[:COMMON])
    return _rows(Track.objects.filter(pk__in=ids))


def _title_prefix_ids(phrase: str, popular: TrackQuerySet) -> list[int]:
    begins = shown_by_index().filter(search_key__gte=phrase, search_key__lt=phrase + _END)
    ids = list(begins.order_by("search_key").values_list("pk", flat=True)[: PREFIXED + 1])
    if len(ids) <= PREFIXED:
        return ids
    # Read in the order of popularity: by the index on the key they would all have to be fetched and sorted.
    by_popularity = popular.alias(place=StrIndex("search_key", Value(phrase))).filter(place=1)
    exact = begins.filter(search_key__gte=f"{phrase} ", search_key__lt=f"{phrase}!", title__iexact=phrase)
    return [
        *by_popularity.values_list("pk", flat=True)[:COMMON],
        *exact.order_by().values_list("pk", flat=True)[:COMMON],
    ]


def _rank(row: _Row, phrase: str) -> tuple[Tier, int, int]:
    popularity = -1 if row.popularity is None else row.popularity
    return _tier(row, phrase), -popularity, row.pk


def _tier(row: _Row, phrase: str) -> Tier:
    if row.search_key.startswith(phrase):
        is_title = row.search_key == phrase or fold(row.title) == phrase
        return Tier.TITLE if is_title else Tier.TITLE_PREFIX
    if f" {phrase}" in row.search_key and f" {phrase}" in f" {fold(row.artist_names)}":
        return Tier.ARTIST
    return Tier.WORDS


def _holds(name: str, words: Sequence[str]) -> bool:
    """Whether the folded ``name`` has all ``words``, the last one as a prefix."""
    *whole, last = words
    parts = name.split()
    return all(word in parts for word in whole) and any(part.startswith(last) for part in parts)


def _artists(words: Sequence[str], rows: Iterable[_Row]) -> list[Artist]:
    """Return matching artists: the exact name first, then names that begin with it, then by their best matching
    song."""
    phrase = " ".join(words)
    best = sorted((-(row.popularity or 0), row.pk) for row in rows if _holds(fold(row.artist_names), words))
    rank = {pk: number for number, (_popularity, pk) in enumerate(best[:COMMON])}
    links = TrackArtist.objects.filter(track_id__in=rank).select_related("artist").order_by()
    matches: dict[int, tuple[int, int, Artist]] = {}
    for credit in links:
        name = credit.artist.search_name
        if _holds(name, words):
            kind = 0 if name == phrase else 1 if name.startswith(phrase) else 2
            known = matches.get(credit.artist_id)
            if known is None or rank[credit.track_id] < known[1]:
                matches[credit.artist_id] = (kind, rank[credit.track_id], credit.artist)
    ranked = sorted(matches.values(), key=lambda item: (item[0], item[1], item[2].pk))
    return [artist for _kind, _place, artist in ranked[:SHOWN_ARTISTS]]


def _genres(words: Sequence[str]) -> list[Genre]:
    named = [genre for genre in Genre.objects.order_by("name") if _holds(fold(genre.name), words)][:COMMON]
    if not named:
        return []
    songs = GenreLink.objects.filter(genre=OuterRef("pk"), track__is_active=True)
    shown = Genre.objects.filter(Exists(songs), pk__in=[genre.pk for genre in named]).order_by("name")
    return list(shown[:SHOWN_GENRES])
