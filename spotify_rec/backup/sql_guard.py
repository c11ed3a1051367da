"""Allows in a dump only what pg_dump and mariadb-dump write of this site's tables, and nothing executable.

`psql` and `mariadb` run shell commands that stand in their input (`\\!`, `system`), servers run programs and read files
(`COPY FROM PROGRAM`, `LOAD_FILE`). A backup may come from a stranger, so each line is checked before a program gets it,
and whatever is not known to be harmless is refused. Lines are read one at a time, which is sound only because no text,
comment
or name goes over the end of a line; that is checked, too.
"""

import io
import re
from collections.abc import Callable, Iterator
from typing import IO, TypeAlias

from spotify_rec.backup.common import BackupError

Lines: TypeAlias = Iterator[bytes]
# A row of a table is one line; what is longer than any row is no dump.
_MAX_LINE = 256 << 20
_BUFFER = 1 << 20

# --- PostgreSQL ---
_NAME = rb'(?:[\w.]|"[\w ]+")+'
_PG_COPY = re.compile(rb"COPY " + _NAME + rb' \([\w", ]+\) FROM stdin;\n')
_PG_RESTRICT = re.compile(rb"\\(?:un)?restrict [A-Za-z0-9]+\n")
# A whole line of a statement: names and texts end where they began, nothing is escaped, no comment, no dollar quotes.
_PG_LINE = re.compile(rb"""(?:[^'"\\$;\r\n/-]|'[^'\\\r\n]*+'|"[\w. ]*+"|/(?!\*)|-(?!-))*+;?\n""")
_PG_COMMENT = re.compile(rb"--[^\r\n\\]*+\n")
_PG_SETTING = (
    rb"(?:statement_timeout|lock_timeout|idle_in_transaction_session_timeout|transaction_timeout|xmloption"
    rb"|client_min_messages|row_security|check_function_bodies|default_tablespace|default_table_access_method"
    rb"|default_with_oids) = (?:\w+|'\w*')|client_encoding = 'UTF8'|standard_conforming_strings = on"
)
_PG_STATEMENT = re.compile(
    rb"SET (?:" + _PG_SETTING + rb");"
    rb"|SELECT pg_catalog\.set_config\('search_path', '', false\);"
    rb"|SELECT pg_catalog\.setval\('[\w.\"]+', \d+, (?:true|false)\);"
    rb"|CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA \w+;"
    rb"|(?:CREATE TABLE|CREATE (?:UNIQUE )?INDEX|ALTER TABLE(?: ONLY)?|(?:CREATE|ALTER) SEQUENCE) (?P<definition>.*);",
    re.DOTALL,
)
# No default, check or index of this site calls what looks into the server's files or settings.
_PG_CALLS = re.compile(
    rb"\b(?:select\b|execute\b|(?:pg_(?!catalog\b)|lo_|dblink|query_|current_|set_)\w*\s*\()", re.IGNORECASE
)

# --- MariaDB and MySQL ---
_TEXT = rb"'(?:[^'\\\n]|\\[^\n]|'')*+'"
_VALUE = rb"(?:NULL|-?[0-9][0-9.eE+-]*+|0x[0-9A-Fa-f]*+|(?:_binary )?" + _TEXT + rb")"
_ROW = rb"\(" + _VALUE + rb"(?:," + _VALUE + rb")*+\)"
_MY_NAME = rb"`[\w$]+`"
_MY_SETTING = (
    rb"(?:NAMES utf8\w*|@?\w+ *= *(?:@@\w+|@OLD_\w+|@saved_cs_client|utf8\w*|[01]|'\+00:00'|'NO_AUTO_VALUE_ON_ZERO')"
    rb"(?:, *\w+=(?:[01]|'NO_AUTO_VALUE_ON_ZERO'))?)"
)
_MY_PART = rb"(?:[^'`\\;#/\r\n-]|'[^'\\\r\n]*+'|" + _MY_NAME + rb"|-(?!-))*+"
_MY_LINE = re.compile(
    rb"|--(?: [^\r\n]*+)?|/\*M!999999\\- enable the sandbox mode \*/ ?"
    rb"|/\*!\d{5,6} SET " + _MY_SETTING + rb" \*/;"
    rb"|/\*!40000 ALTER TABLE " + _MY_NAME + rb" (?:EN|DIS)ABLE KEYS \*/;"
    rb"|DROP TABLE IF EXISTS " + _MY_NAME + rb";|CREATE TABLE " + _MY_NAME + rb" \("
    rb"|  (?:" + _MY_NAME + rb"|PRIMARY KEY|UNIQUE KEY|KEY|FULLTEXT KEY|CONSTRAINT) " + _MY_PART
    + rb"|\) ENGINE=InnoDB(?: +(?:AUTO_INCREMENT|DEFAULT CHARSET|COLLATE|ROW_FORMAT)=\w+)*+;"
    rb"|LOCK TABLES " + _MY_NAME + rb" WRITE;|UNLOCK TABLES;"
    rb"|INSERT INTO " + _MY_NAME + rb" (?:\([\w`, ]+\) )?VALUES(?: ?" + _ROW + rb"(?:," + _ROW + rb")*+;)?"
    rb"|" + _ROW + rb"[,;]"
)  # fmt: skip
_MY_CALLS = re.compile(rb"\b(?:(?:load_file|sys_\w+)\s*\(|select\b)", re.IGNORECASE)


def checked(source: IO[bytes], vendor: str) -> Lines:
    """Give the lines of a dump, each after it was found harmless. Raise ``BackupError``, with the line's number."""
    lines = io.BufferedReader(source, _BUFFER) if isinstance(source, io.RawIOBase) else source
    return (_postgres if vendor == "postgresql" else _mysql)(lines)


def check(source: IO[bytes], vendor: str, report_progress: Callable[[int], object]) -> None:
    """Read a dump through. Raise ``BackupError``."""
    for line in checked(source, vendor):
        report_progress(len(line))


def _numbered(lines: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    number = 0
    while line := lines.readline(_MAX_LINE):
        number += 1
        if not line.endswith(b"\n"):
            raise BackupError(f"database.sql, line {number}: it has no end")
        yield number, line


def _refuse(number: int) -> BackupError:
    return BackupError(f"database.sql, line {number} isn't what a backup of this site holds. Nothing was changed.")


def _postgres(lines: IO[bytes]) -> Lines:
    statement: list[bytes] = []
    is_in_data = False
    for number, line in _numbered(lines):
        if is_in_data:
            is_in_data = line != b"\\.\n"
        elif not statement and _PG_COPY.fullmatch(line):
            is_in_data = True
        elif not (line == b"\n" or _PG_COMMENT.fullmatch(line) or (not statement and _PG_RESTRICT.fullmatch(line))):
            if _PG_LINE.fullmatch(line) is None:
                raise _refuse(number)
            statement.append(line)
            if line.endswith(b";\n"):
                if not _is_harmless(b"".join(statement).strip()):
                    raise _refuse(number)
                statement.clear()
        yield line
    if statement or is_in_data:
        raise BackupError("database.sql ends in the middle of a statement")


def _is_harmless(statement: bytes) -> bool:
    match = _PG_STATEMENT.fullmatch(statement)
    return match is not None and not (match["definition"] and _PG_CALLS.search(match["definition"]))


def _mysql(lines: IO[bytes]) -> Lines:
    for number, line in _numbered(lines):
        is_definition = line.startswith((b"  ", b") "))
        if _MY_LINE.fullmatch(line[:-1]) is None or (is_definition and _MY_CALLS.search(line)):
            raise _refuse(number)
        yield line
