"""The database as bytes and back: SQLite by its own backup call, the servers by their own programs."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Protocol

from django.db import connection

from spotify_rec.backup.common import CHUNK, BackupError, Say

# Pages copied between two looks at the progress bar.
_SQLITE_PAGES = 2000


class Database(Protocol):
    """What is done differently with each kind of database."""

    def size(self) -> int:
        """Return roughly how many bytes ``dump`` gives."""

    def dump(self, into: IO[bytes], folder: Path, say: Say) -> None:
        """Write the database as it is at one moment; files in between lie in ``folder``. Raises ``BackupError``."""

    def load(self, source: IO[bytes], folder: Path, say: Say) -> None:
        """Put what was dumped in the place of all there is. Raises ``BackupError``."""


def database() -> Database:
    """Return the site's database."""
    if connection.vendor == "sqlite":
        return SQLite(Path(connection.settings_dict["NAME"]))
    return Postgres() if connection.vendor == "postgresql" else MySQL()


class SQLite:
    """A file; read and written through SQLite's online backup, beside those who are at work in it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def size(self) -> int:
        return self._path.stat().st_size if self._path.exists() else 0

    def dump(self, into: IO[bytes], folder: Path, say: Say) -> None:
        copy = folder / "database.sqlite3"
        with closing(_opened(self._path, "rw")) as source, closing(sqlite3.connect(copy)) as target:
            # The snapshot is taken here and held: a backup in steps would otherwise begin anew with each write.
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()
            _copy(source, target, "database", say)
        check_sqlite(copy)
        with copy.open("rb") as file:
            shutil.copyfileobj(file, into, CHUNK)
        copy.unlink()

    def load(self, source: IO[bytes], folder: Path, say: Say) -> None:
        copy = folder / "database.sqlite3"
        with copy.open("wb") as file:
            shutil.copyfileobj(source, file, CHUNK)
        check_sqlite(copy)
        # One transaction of the target: whoever reads meanwhile sees the old content or the new, and a kill none of it.
        with closing(_opened(copy, "rw")) as new, closing(_opened(self._path, "rwc")) as target:
            _copy(new, target, "database", say)


def _opened(path: Path, mode: str) -> sqlite3.Connection:
    try:
        return sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, timeout=20, isolation_level=None)
    except sqlite3.Error as error:
        raise BackupError(f"{path}: {error}") from error


def _copy(source: sqlite3.Connection, target: sqlite3.Connection, step: str, say: Say) -> None:
    (page_size,) = source.execute("PRAGMA page_size").fetchone()
    left = [0]

    def progress(_status: int, remaining: int, total: int) -> None:
        say(step, ((left[0] or total) - remaining) * page_size)
        left[0] = remaining

    try:
        source.backup(target, pages=_SQLITE_PAGES, progress=progress)
    except sqlite3.Error as error:
        raise BackupError(f"the database could not be copied: {error}") from error


def check_sqlite(path: Path) -> None:
    """Raise ``BackupError`` where the file is no sound database, or a row refers to one that is not there."""
    try:
        with closing(_opened(path, "rw")) as copy:
            (answer,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
            dangling = copy.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.Error as error:
        raise BackupError(f"the database is damaged: {error}") from error
    if answer != "ok":
        raise BackupError(f"the database is damaged: {answer}")
    if dangling:
        raise BackupError(f"the database is damaged: row {dangling[1]} of {dangling[0]} refers to nothing")


class _Server:
    """A database server, by the programs that come with it; the password is handed over in the environment."""

    dumper: tuple[str, ...]
    client: tuple[str, ...]
    dump_options: tuple[str, ...]
    load_options: tuple[str, ...]
    package: str

    def dump(self, into: IO[bytes], folder: Path, say: Say) -> None:
        with self._running(self.dumper, self.dump_options, folder, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            while chunk := process.stdout.read(CHUNK):
                into.write(chunk)
                say("database", len(chunk))

    def load(self, source: IO[bytes], folder: Path, say: Say) -> None:
        first = [statement.encode() for statement in self._emptying(connection.introspection.table_names())]
        # No connection of ours may hold on to a table that is taken away.
        connection.close()
        with self._running(self.client, self.load_options, folder, stdin=subprocess.PIPE) as process:
            assert process.stdin is not None
            try:
                for chunk in _chunks(first, source):
                    process.stdin.write(chunk)
                    say("database", len(chunk))
                process.stdin.close()
            except BrokenPipeError:
                # It has ended before its time, and says why.
                process.wait()

    def _emptying(self, tables: list[str]) -> list[str]:
        raise NotImplementedError

    @contextmanager
    def _running(
        self, names: Iterable[str], options: tuple[str, ...], folder: Path, **streams: Any
    ) -> Iterator[subprocess.Popen[bytes]]:
        program = next((path for name in names if (path := shutil.which(name))), None)
        if program is None:
            raise BackupError(f"{' or '.join(names)} is not on this machine (Debian: apt install {self.package})")
        (_name, *arguments), environment = connection.client.settings_to_cmd_args_env(
            connection.settings_dict, list(options)
        )
        streams = {"stdout": subprocess.DEVNULL, "stdin": subprocess.DEVNULL, **streams}
        with tempfile.TemporaryFile(dir=folder) as said:
            process = subprocess.Popen(  # noqa: S603
                [program, *arguments], env={**os.environ, **(environment or {})}, stderr=said, **streams
            )
            try:
                yield process
                status = process.wait()
            finally:
                # Whatever went wrong here, it does not go on.
                process.kill()
                process.wait()
                for stream in (process.stdout, process.stdin):
                    if stream is not None and not stream.closed:
                        _close(stream)
            if status:
                raise BackupError(f"{Path(program).name}: {_last_words(said)}")


def _chunks(first: list[bytes], source: IO[bytes]) -> Iterator[bytes]:
    yield from first
    while chunk := source.read(CHUNK):
        yield chunk


def _close(stream: IO[bytes]) -> None:
    with suppress(BrokenPipeError):
        stream.close()


def _last_words(said: IO[bytes]) -> str:
    said.seek(0)
    lines = [line.strip() for line in said.read().decode(errors="replace").splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower()]
    return (telling or lines or ["ended without a word"])[0]


class Postgres(_Server):
    """PostgreSQL. What goes wrong while loading leaves the database as it was: it is all one transaction."""

    dumper, client, package = ("pg_dump",), ("psql",), "postgresql-client"
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
    """MariaDB and MySQL, which know no transaction around tables: loading that breaks off leaves a part."""

    dumper, client = ("mariadb-dump", "mysqldump"), ("mariadb", "mysql")
    package = "mariadb-client"
    dump_options = ("--single-transaction", "--skip-lock-tables", "--hex-blob", "--no-tablespaces")
    load_options = ()

    def size(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT SUM(data_length) FROM information_schema.tables WHERE table_schema = DATABASE()")
            return int(cursor.fetchone()[0] or 0)

    def _emptying(self, tables: list[str]) -> list[str]:
        dropping = [f"DROP TABLE IF EXISTS {connection.ops.quote_name(table)};\n" for table in tables]
        return ["SET FOREIGN_KEY_CHECKS=0;\n", *dropping, "SET FOREIGN_KEY_CHECKS=1;\n"]
