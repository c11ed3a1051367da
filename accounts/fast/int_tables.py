"""Reads thousands of rows of integers from the database as one array."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from django.db import connections
from django.db.models import F, Model, QuerySet
from django.db.models.expressions import Combinable
from numpy.typing import NDArray

from accounts.fast.unix_seconds import SECONDS_TEXT_LENGTH, SecondsText, UnixSeconds

Row = TypeVar("Row", bound=Model)


def read_int_table(rows: QuerySet[Row], *columns: str | Combinable) -> NDArray[np.int64]:
    """Return the columns (names or expressions, never null) of all ``rows`` as int64[m, columns]; one query.

    SQLite gives each column as one text, which numpy reads: a tuple and an object for every number would take twice as
    long. Rows come in the order that the database finds them in.
    """
    named: dict[str, Any] = {
        f"column_{number}": F(column) if isinstance(column, str) else column for number, column in enumerate(columns)
    }
    if connections[rows.db].vendor == "sqlite":
        return _from_texts(rows, named)
    return np.array(list(rows.annotate(**named).values_list(*named)), dtype=np.int64).reshape(-1, len(columns))


def rows_by_key(table: NDArray[np.int64], keys: Sequence[int]) -> dict[int, NDArray[np.int64]]:
    """Return the rows of each key, without the first column, which holds the keys in increasing order."""
    begin, end = np.searchsorted(table[:, 0], keys), np.searchsorted(table[:, 0], keys, side="right")
    return {key: table[first:last, 1:] for key, first, last in zip(keys, begin.tolist(), end.tolist(), strict=True)}


def _from_texts(rows: QuerySet[Row], named: Mapping[str, Any]) -> NDArray[np.int64]:
    times = [name for name, column in named.items() if isinstance(column, UnixSeconds)]
    # SQLite takes longer to compute the seconds of a time than to read the row.
    read = {**named, **{name: SecondsText(*named[name].get_source_expressions()) for name in times}}
    sql, parameters = rows.annotate(**read).values_list(*read).query.get_compiler(rows.db).as_sql()
    texts = ", ".join(f"GROUP_CONCAT({name}, '{'' if name in times else ','}')" for name in named)
    with connections[rows.db].cursor() as cursor:
        cursor.execute(f"SELECT {texts} FROM ({sql})", parameters)  # noqa: S608  (the names are our own)
        texts_by_name = dict(zip(named, cursor.fetchone(), strict=True))
    return np.stack(
        [(_seconds if name in times else _numbers)(text or "") for name, text in texts_by_name.items()], axis=1
    )


def _numbers(text: str) -> NDArray[np.int64]:
    return np.fromstring(text, dtype=np.int64, sep=",")


def _seconds(text: str) -> NDArray[np.int64]:
    times = np.frombuffer(text.encode("ascii"), dtype=f"S{SECONDS_TEXT_LENGTH}")
    return times.astype("datetime64[s]").astype(np.int64)
