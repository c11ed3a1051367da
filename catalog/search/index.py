"""Finds the songs that contain the words of a query, with one condition per kind of database.

A song matches when every word but the last is one of its words and the last begins one of them. The words come from
:func:`catalog.identity.text.fold`, so they hold neither spaces nor signs of a query language; they are quoted
all the same.
"""

from collections.abc import Sequence

from django.db import connection
from django.db.models import BooleanField, CharField, F, FloatField, Func, Value
from django.db.models.expressions import OrderBy
from django.db.models.functions import Concat, StrIndex

from catalog.models import Track, TrackQuerySet

# InnoDB leaves these, and words of other lengths, out of its index (information_schema.INNODB_FT_DEFAULT_STOPWORD,
# innodb_ft_min_token_size, innodb_ft_max_token_size).
# fmt: off
_INNODB_STOPWORDS = frozenset([
    "a", "about", "an", "are", "as", "at", "be", "by", "com", "de", "en", "for", "from", "how", "i", "in", "is", "it",
    "la", "of", "on", "or", "that", "the", "this", "to", "und", "was", "what", "when", "where", "who", "will", "with",
    "www",
])
# fmt: on
_INNODB_WORD_LENGTHS = range(3, 85)


class _FtsMatch(Func):
    """SQLite: the id is among the first so many that the FTS5 table names.

    The MATCH stands in an inner query of its own: joined, SQLite may run it once for every song.
    """

    template = "%(expressions)s)"
    arg_joiner = " IN (SELECT rowid FROM catalog_track_fts WHERE catalog_track_fts MATCH "
    output_field = BooleanField()


class _VectorMatch(Func):
    """PostgreSQL: written as in the index, to the letter, for it is used for no other expression."""

    template = "to_tsvector('simple', %(expressions)s)"
    arg_joiner = ") @@ to_tsquery('simple', "
    output_field = BooleanField()


class _FulltextMatch(Func):
    """MariaDB and MySQL: how well it matches, above 0 if it does (`= TRUE` would mean 1)."""

    template = "MATCH (%(expressions)s IN BOOLEAN MODE)"
    arg_joiner = ") AGAINST ("
    output_field = FloatField()


def matching(words: Sequence[str], limit: int) -> list[int]:
    """Return the ids of at most ``limit`` songs that match ``words``, hidden ones among them.

    If there are more, the database chooses.
    """
    if connection.vendor == "sqlite":
        songs = Track.objects.filter(_sqlite(words, limit))
    elif connection.vendor == "postgresql":
        songs = Track.objects.filter(_postgresql(words))
    else:
        songs = _mysql(words)
    return list(songs.order_by().values_list("pk", flat=True)[:limit])


def holding(words: Sequence[str], songs: TrackQuerySet) -> TrackQuerySet:
    """Return those of ``songs`` that match ``words``, found by reading texts: for words so common that it ends soon."""
    *whole, last = words
    padded = Concat(Value(" "), "search_text", Value(" "), output_field=CharField())
    for number, part in enumerate([f" {last}", *(f" {word} " for word in whole)]):
        songs = songs.alias(**{f"part_{number}": StrIndex(padded, Value(part))}).filter(**{f"part_{number}__gt": 0})
    return songs


def shown_by_index() -> TrackQuerySet:
    """Return the shown songs for reading along an index that begins with ``is_active``.

    SQLite gets ``= True`` as a bare ``WHERE is_active``, for which it uses no index: right where another condition
    finds the few songs (``active()``), wrong where the order of the index is what is wanted.
    """
    return Track.objects.filter(is_active__in=[True])


def popular_first() -> list[OrderBy | str]:
    """Return the order of popularity that the database keeps an index for: unknown popularity comes last."""
    if connection.vendor == "postgresql":
        return [F("popularity").desc(nulls_last=True), "id"]
    return ["-popularity", "id"]


def _sqlite(words: Sequence[str], limit: int) -> Func:
    quoted = ['"' + word.replace('"', '""') + '"' for word in words]
    return _FtsMatch(F("pk"), Value(" ".join(quoted) + "*"), template=f"%(expressions)s LIMIT {limit:d})")


def _postgresql(words: Sequence[str]) -> Func:
    quoted = ["'" + word.replace("\\", "\\\\").replace("'", "''") + "'" for word in words]
    return _VectorMatch(F("search_text"), Value(" & ".join(quoted) + ":*"))


def _mysql(words: Sequence[str]) -> TrackQuerySet:
    *whole, last = words
    required = [f"+{word}" for word in whole if _is_indexed(word)]
    if _is_indexed(last):
        required.append(f"+{last}*")
    # Short words and stop words are searched in the texts of the songs that the index returns.
    songs = holding([*(word for word in whole if not _is_indexed(word)), last], Track.objects.all())
    if not required:
        return songs
    return songs.alias(relevance=_FulltextMatch(F("search_text"), Value(" ".join(required)))).filter(relevance__gt=0)


def _is_indexed(word: str) -> bool:
    return len(word) in _INNODB_WORD_LENGTHS and word not in _INNODB_STOPWORDS
