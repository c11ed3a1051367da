"""Corrects typing errors in queries: "nirvna" finds "nirvana". A word with one error has its first or its last half
right, so the candidates are the indexed words with the same beginning or end, and only those are compared letter by
letter. SQLite lists the words of its search index; on
PostgreSQL and MariaDB they stand in a table of their own, which grows with the catalogue, beside trigrams where
PostgreSQL has the extension ``pg_trgm``.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from django.db import connection
from django.db.models import Max

from catalog.models import Track
from catalog.search.index import matching

TABLE = "catalog_search_word"
VOCABULARY = "catalog_track_vocabulary"
SHORTEST, LONGEST = 4, 40
# Words of this length or longer may contain two errors.
_LONG = 8
MAX_CANDIDATES = 3000
MAX_ALTERNATIVES = 6
_TRIED = 3
_NEAREST = 50
# Few enough to be quick; with fewer still PostgreSQL would rather read all songs than ask its index.
_COUNTED = 1000
_BATCH = 1000
_END = "\U0010ffff"
# SQLite has no index of ends: of more songs than so many, the list of words is too long to be read for one query.
_MOST_SONGS_READ = 300_000


def alternatives(words: Sequence[str]) -> Iterator[list[str]]:
    """Yield corrections of ``words``, the likeliest first; only words that no song contains are changed."""
    for number, chosen in enumerate(product(*choices_of(words))):
        if number >= MAX_ALTERNATIVES:
            return
        if list(chosen) != list(words):
            yield list(chosen)


def choices_of(words: Sequence[str]) -> list[list[str]]:
    """Return what each of ``words`` may be: itself where a song has it, otherwise similar words, or none."""
    return [[word] if _is_known(word) else _similar(word) for word in words]


def most_errors(word: str) -> int:
    """Return how many errors ``word`` may contain."""
    return 2 if len(word) >= _LONG else 1


def note_words(texts: Iterable[str]) -> None:
    """Add the words of folded ``texts`` to the table of words, if the database has no list of its own."""
    if connection.vendor == "sqlite":
        return
    words = sorted({word for text in texts for word in text.split() if SHORTEST <= len(word) <= LONGEST})
    with connection.cursor() as cursor:
        for start in range(0, len(words), _BATCH):
            batch = words[start : start + _BATCH]
            places = ", ".join(["(%s, %s)"] * len(batch))
            head, tail = (
                ("INSERT", " ON CONFLICT DO NOTHING") if connection.vendor == "postgresql" else ("INSERT IGNORE", "")
            )
            # The table is a constant, the words are parameters.
            statement = f"{head} INTO {TABLE} (word, backwards) VALUES {places}{tail}"
            cursor.execute(statement, [part for word in batch for part in (word, word[::-1])])


def distance(word: str, other: str, most: int) -> int:
    """Return how many letters are to be put in, left out, changed or swapped; more than ``most`` where it is more.

    The optimal string alignment distance.
    """
    if abs(len(word) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(word, start=1):
        last, before, row = before, row, [i]
        for j, wanted in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and word[i - 2] == wanted:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]


def _is_known(word: str) -> bool:
    """Return whether a known word begins with ``word``; short words are never corrected."""
    if not SHORTEST <= len(word) <= LONGEST:
        return True
    known = _INDEX_KNOWN if connection.vendor == "sqlite" else _TABLE_KNOWN
    return bool(_found(known, word, word + _END))


def _similar(word: str) -> list[str]:
    """Return the known words nearest to ``word``, of equally near ones those of more songs first."""
    if not SHORTEST <= len(word) <= LONGEST:
        return []
    most = most_errors(word)
    distances = {other: distance(word, other, most) for other in _candidates(word, most)}
    near = sorted((slips, other) for other, slips in distances.items() if 0 < slips <= most)[: _TRIED * 3]
    counted = sorted((slips, -len(matching([other], _COUNTED)), other) for slips, other in near)
    return [other for _slips, _songs, other in counted[:_TRIED]]


def _candidates(word: str, most: int) -> set[str]:
    part = (len(word) - 1) // 2 if most == 1 else len(word) // 3
    if connection.vendor == "sqlite":
        return _of_index(word, part, most)
    return _of_table(word, part, most)


# Names of tables and columns are constants; user input is passed as parameters.
_INDEX_KNOWN = f"SELECT term FROM {VOCABULARY} WHERE term >= %s AND term < %s LIMIT 1"  # noqa: S608
_TABLE_KNOWN = f"SELECT word FROM {TABLE} WHERE word >= %s AND word < %s LIMIT 1"  # noqa: S608
_INDEX_BEGINS = f"""SELECT term FROM {VOCABULARY}
    WHERE length(term) BETWEEN %s AND %s AND term >= %s AND term < %s LIMIT %s"""  # noqa: S608
_INDEX_ENDS = f"""SELECT term FROM {VOCABULARY}
    WHERE length(term) BETWEEN %s AND %s AND substr(term, %s) = %s LIMIT %s"""  # noqa: S608
_TABLE_BEGINS, _TABLE_ENDS = (
    f"""SELECT word FROM {TABLE}
    WHERE char_length(word) BETWEEN %s AND %s AND {column} >= %s AND {column} < %s LIMIT %s"""  # noqa: S608
    for column in ("word", "backwards")
)
_TABLE_TRIGRAMS = f"SELECT word FROM {TABLE} WHERE word %% %s ORDER BY word <-> %s LIMIT %s"  # noqa: S608


def _of_index(word: str, part: int, most: int) -> set[str]:
    lengths, begin = (len(word) - most, len(word) + most), word[:part]
    words = _found(_INDEX_BEGINS, *lengths, begin, begin + _END, MAX_CANDIDATES)
    if (Track.objects.aggregate(last=Max("pk"))["last"] or 0) <= _MOST_SONGS_READ:
        words |= _found(_INDEX_ENDS, *lengths, -part, word[-part:], MAX_CANDIDATES)
    return words


def _of_table(word: str, part: int, most: int) -> set[str]:
    lengths, begin, end = (len(word) - most, len(word) + most), word[:part], word[::-1][:part]
    words = _found(_TABLE_BEGINS, *lengths, begin, begin + _END, MAX_CANDIDATES)
    words |= _found(_TABLE_ENDS, *lengths, end, end + _END, MAX_CANDIDATES)
    return words | _found(_TABLE_TRIGRAMS, word, word, _NEAREST) if has_trigrams() else words


def _found(query: str, *parameters: str | int) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return {str(row[0]) for row in cursor.fetchall()}


def has_trigrams() -> bool:
    """Return whether PostgreSQL keeps trigrams of the words."""
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_class WHERE relname = 'catalog_search_word_trigrams'")
        return cursor.fetchone() is not None
