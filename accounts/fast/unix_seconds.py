"""Integers computed by the database, without an object and a call per row."""

from typing import Any

from django.db.models import Count, Func, IntegerField, TextField
from django.db.models.sql.compiler import SQLCompiler

_Sql = tuple[str, Any]
SECONDS_TEXT_LENGTH = 19


class Unconverted:
    """An expression whose values are whole numbers as the database gives them; Django would call ``int`` on each."""

    def get_db_converters(self, _connection: Any) -> list[Any]:
        return []


class RowCount(Unconverted, Count):
    """``Count`` for thousands of groups."""


class UnixSeconds(Unconverted, Func):
    """Whole seconds from 1970-01-01 (UTC) to a time, the part of a second left off."""

    output_field = IntegerField()
    arity = 1

    def as_sqlite(self, compiler: SQLCompiler, connection: Any, **context: Any) -> _Sql:
        # Days since 4714 BC; the text is cut at the second, so that rounding takes off no more than noise.
        days = "julianday(substr(%(expressions)s, 1, 19)) - 2440587.5"
        return self.as_sql(compiler, connection, template=f"CAST(ROUND(({days}) * 86400.0) AS INTEGER)", **context)

    def as_postgresql(self, compiler: SQLCompiler, connection: Any, **context: Any) -> _Sql:
        template = "FLOOR(EXTRACT(EPOCH FROM %(expressions)s))::bigint"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_mysql(self, compiler: SQLCompiler, connection: Any, **context: Any) -> _Sql:
        # Unlike UNIX_TIMESTAMP, it does not read the time in the session's time zone: columns hold UTC.
        template = "TIMESTAMPDIFF(SECOND, '1970-01-01', %(expressions)s)"
        return self.as_sql(compiler, connection, template=template, **context)


class SecondsText(Unconverted, Func):
    """A time as SQLite keeps it, cut at the second: 19 characters, as ``2026-11-26 09:59:44`` (UTC)."""

    output_field = TextField()
    arity = 1
    template = f"substr(%(expressions)s, 1, {SECONDS_TEXT_LENGTH})"
