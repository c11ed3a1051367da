"""The database as bytes and back: SQLite by its own backup call, the servers by their own programs."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import IO, Any, Protocol

from django.db import connection

from jobs.files import named_in_errors
from spotify_rec.backup.common import CHUNK, BackupError, ReportProgress
from spotify_rec.backup.sql_guard import check, checked

# The site's own executable objects in SQLite: the triggers of its search index.
SQLITE_FORWARD: list[str] = import_module("catalog.migrations.0002_search_index").SQLITE_FORWARD
_FULL_TEXT = re.compile(r"\busing fts5(?:vocab)?\(", re.IGNORECASE)
_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
# Pages copied between two looks at the progress bar.
_SQLITE_PAGES = 2000


class Database(Protocol):
    """The operations that differ between databases."""

    def size(self) -> int:
        """Return roughly how many bytes ``dump`` gives."""

    def dump(self, into: IO[bytes], folder: Path, report_progress: ReportProgress) -> None:
        """Write the database as it is at one moment; files in between lie in ``folder``. Raise ``BackupError``."""

    def check(self, source: IO[bytes], report_progress: ReportProgress) -> None:
        """Read a dump through and touch nothing. Raise ``BackupError`` for anything in it that would run."""

    def load(self, source: IO[bytes], folder: Path, report_progress: ReportProgress) -> None:
        """Replace the database with the dump. Raise ``BackupError``."""


def database() -> Database:
    """Return the site's database."""
    if connection.vendor == "sqlite":
        return SQLite(Path(connection.settings_dict["NAME"]))
    return Postgres() if connection.vendor == "postgresql" else MySQL()


class SQLite:
    """A file; read and written through SQLite's online backup while the site is in use."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def size(self) -> int:
        return self._path.stat().st_size if self._path.exists() else 0

    def dump(self, into: IO[bytes], folder: Path, report_progress: ReportProgress) -> None:
        copy = folder / "database.sqlite3"
        with closing(_opened(self._path, "rw")) as source, closing(sqlite3.connect(copy)) as target:
            # The snapshot is taken here and held: a backup in steps would otherwise begin anew with each write.
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()
            _copy(source, target, copy.parent, report_progress)
        check_sqlite(copy)
        with copy.open("rb") as file:
            shutil.copyfileobj(file, into, CHUNK)
        copy.unlink()

    def check(self, source: IO[bytes], report_progress: ReportProgress) -> None:
        # The file is not interpreted here; its content is checked in `load`.
        while chunk := source.read(CHUNK):
            report_progress("checking", len(chunk))

    def load(self, source: IO[bytes], folder: Path, report_progress: ReportProgress) -> None:
        copy = folder / "database.sqlite3"
        with named_in_errors(copy), copy.open("wb") as file:
            shutil.copyfileobj(source, file, CHUNK)
        refuse_foreign_code(copy)
        check_sqlite(copy)
        # One transaction of the target, so that readers see the old content or the new, and a kill leaves the old.
        with closing(_opened(copy, "rw")) as new, closing(_opened(self._path, "rwc")) as target:
            _copy(new, target, self._path.parent, report_progress)


def _opened(path: Path, mode: str) -> sqlite3.Connection:
    try:
        return sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, timeout=20, isolation_level=None)
    except sqlite3.Error as error:
        raise BackupError(f"{path}: {error}") from error


def _copy(
    source: sqlite3.Connection, target: sqlite3.Connection, folder: Path, report_progress: ReportProgress
) -> None:
    """Copy a database; ``folder`` is where the copy lies, for an error that names it."""
    (page_size,) = source.execute("PRAGMA page_size").fetchone()
    left = [0]

    def progress(_status: int, remaining: int, total: int) -> None:
        report_progress("database", ((left[0] or total) - remaining) * page_size)
        left[0] = remaining

    try:
        source.backup(target, pages=_SQLITE_PAGES, progress=progress)
    except sqlite3.Error as error:
        raise BackupError(f"{folder}: the database could not be copied there: {error}") from error


def _unreadable(path: Path, error: sqlite3.Error) -> BackupError:
    """Tell a copy that is damaged from one beside which SQLite can't write what it needs to read it."""
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in _NO_ROOM:
        return BackupError(f"{path.parent}: the database could not be checked there: {error}")
    return BackupError(f"the database is damaged: {error}")


def check_sqlite(path: Path) -> None:
    """Raise ``BackupError`` where the file is no sound database, or a row refers to one that is not there."""
    try:
        with closing(_opened(path, "rw")) as copy:
            (answer,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
            dangling = copy.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.Error as error:
        raise _unreadable(path, error) from error
    if answer != "ok":
        raise BackupError(f"the database is damaged: {answer}")
    if dangling:
        raise BackupError(f"the database is damaged: row {dangling[1]} of {dangling[0]} points to a missing row")


def refuse_foreign_code(path: Path) -> None:
    """Raise ``BackupError`` where the file brings views, triggers or virtual tables that are not the search index's.

    They would run with the site's next reads and writes.
    """
    try:
        with closing(_opened(path, "ro")) as copy:
            rows = copy.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    except sqlite3.Error as error:
        raise _unreadable(path, error) from error
    own = {" ".join(statement.split()) for statement in SQLITE_FORWARD}
    for kind, name, sql in rows:
        words = str(sql).lower().split()
        is_table = kind in ("table", "index") and (words[1] != "virtual" or _FULL_TEXT.search(str(sql)) is not None)
        if not is_table and " ".join(str(sql).split()) not in own:
            raise BackupError(f"the database holds {name!r}, which isn't part of this site")


class _Server:
    """A database server, by the programs that come with it; the password is handed over in the environment."""

    dumper: tuple[str, ...]
    client: tuple[str, ...]
    dump_options: tuple[str, ...]
    load_options: tuple[str, ...]
    package: str
    vendor: str

    def check(self, source: IO[bytes], report_progress: ReportProgress) -> None:
        check(source, self.vendor, lambda size: report_progress("checking", size))

    def dump(self, into: IO[bytes], folder: Path, report_progress: ReportProgress) -> None:
        with self._running(self.dumper, self.dump_options, folder, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            while chunk := process.stdout.read(CHUNK):
                into.write(chunk)
                report_progress("database", len(chunk))

    def load(self, source: IO[bytes], folder: Path, report_progress: ReportProgress) -> None:
        first = [statement.encode() for statement in self._emptying(connection.introspection.table_names())]
        # Our connection must not hold locks on tables that are dropped.
        connection.close()
        options = (*self.load_options, *self._guards())
        with self._running(self.client, options, folder, stdin=subprocess.PIPE) as process:
            assert process.stdin is not None
            try:
                for chunk in _chunks(first, checked(source, self.vendor)):
                    process.stdin.write(chunk)
                    report_progress("database", len(chunk))
                process.stdin.close()
            except BrokenPipeError:
                # It ended early and has reported why.
                process.wait()

    def _guards(self) -> tuple[str, ...]:
        """Return the client's own options against commands in its input."""
        return ()

    def _emptying(self, tables: list[str]) -> list[str]:
        raise NotImplementedError

    @contextmanager
    def _running(
        self, names: Iterable[str], options: tuple[str, ...], folder: Path, **streams: Any
    ) -> Iterator[subprocess.Popen[bytes]]:
        program = next((path for name in names if (path := shutil.which(name))), None)
        if program is None:
            raise BackupError(f"{' or '.join(names)} isn't installed (Debian: apt install {self.package})")
        (_name, *arguments), environment = connection.client.settings_to_cmd_args_env(
            connection.settings_dict, list(options)
        )
        streams = {"stdout": subprocess.DEVNULL, "stdin": subprocess.DEVNULL, **streams}
        with tempfile.TemporaryFile(dir=folder) as errors:
            process = subprocess.Popen(  # noqa: S603
                [program, *arguments], env={**os.environ, **(environment or {})}, stderr=errors, **streams
            )
            try:
                yield process
                status = process.wait()
            finally:
                # After any error here it must not continue.
                process.kill()
                process.wait()
                for stream in (process.stdout, process.stdin):
                    if stream is not None and not stream.closed:
                        _close(stream)
            if status:
                raise BackupError(f"{Path(program).name}: {_last_words(errors)}")


def _chunks(first: list[bytes], lines: Iterator[bytes]) -> Iterator[bytes]:
    """Give the lines in larger pieces; what was checked alone is handed on."""
    yield from first
    piece = bytearray()
    for line in lines:
        piece += line
        if len(piece) >= CHUNK:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)


def _close(stream: IO[bytes]) -> None:
    with suppress(BrokenPipeError):
        stream.close()


def _last_words(errors: IO[bytes]) -> str:
    errors.seek(0)
    lines = [line.strip() for line in errors.read().decode(errors="replace").splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower()]
    return (telling or lines or ["ended without an error message"])[0]


class Postgres(_Server):
    """PostgreSQL. What goes wrong while loading leaves the database as it was: it is all one transaction."""

    dumper, client, package = ("pg_dump",), ("psql",), "postgresql-client"
    vendor = "postgresql"
    # Comments on extensions are their owner's to write, who is seldom the site's account.
    dump_options = ("--format=plain", "--no-owner", "--no-privileges", "--no-comments")
    load_options = ("-X", "-q", "-v", "ON_ERROR_STOP=1", "--single-transaction", "-f", "-")

    def size(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database())")
            return int(cursor.fetchone()[0])

    def _emptying(self, tables: list[str]) -> list[str]:
        return [f"DROP TABLE IF EXISTS {connection.ops.quote_name(table)} CASCADE;\n" for table in tables]


class MySQL(_Server):
    """MariaDB and MySQL, which have no transactional DDL: an interrupted load leaves a part."""

    dumper, client = ("mariadb-dump", "mysqldump"), ("mariadb", "mysql")
    package = "mariadb-client"
    vendor = "mysql"
    dump_options = ("--single-transaction", "--skip-lock-tables", "--hex-blob", "--no-tablespaces")
    # In its input, no command is known to the client any more but "charset" and "delimiter".
    load_options = ("--binary-mode",)

    def _guards(self) -> tuple[str, ...]:
        program = next((path for name in self.client if (path := shutil.which(name))), None)
        if program is None:
            return ()
        described = subprocess.run([program, "--help"], capture_output=True, check=False).stdout  # noqa: S603
        return ("--sandbox",) if b"--sandbox" in described else ()

    def size(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT SUM(data_length) FROM information_schema.tables WHERE table_schema = DATABASE()")
            return int(cursor.fetchone()[0] or 0)

    def _emptying(self, tables: list[str]) -> list[str]:
        dropping = [f"DROP TABLE IF EXISTS {connection.ops.quote_name(table)};\n" for table in tables]
        return ["SET FOREIGN_KEY_CHECKS=0;\n", *dropping, "SET FOREIGN_KEY_CHECKS=1;\n"]
