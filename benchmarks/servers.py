"""Database servers of a measurement's own: empty, on a free port, durable, and free to be killed in the middle."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

_START_SECONDS = 60


class Server:
    """One server process in ``folder``; ``url`` is its DATABASE_URL."""

    account = ""
    url = ""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir()
        if os.geteuid() == 0:
            # Neither server runs as root.
            shutil.chown(folder, self.account, self.account)
            for parent in folder.parents[:1]:
                parent.chmod(0o755)
        self.prepare()
        self.start()
        self.furnish()

    def prepare(self) -> None:
        """Make the empty data directory."""
        raise NotImplementedError

    def command(self) -> list[str]:
        """Return what starts the server in the foreground."""
        raise NotImplementedError

    def furnish(self) -> None:
        """Do what is left to do once the server answers."""

    def start(self) -> None:
        """Start it and wait until it listens; one that was killed may need a few tries."""
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            if self.process is None or self.process.poll() is not None:
                with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
                    self.process = subprocess.Popen(self._as_account(self.command()), stdout=log, stderr=log)
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=0.2).close()
            except OSError:
                time.sleep(0.3)
            else:
                return
        raise RuntimeError(f"{self.folder.name} does not start: see {self.folder.name}.log")

    def kill(self) -> None:
        """End it as a power failure would."""
        assert self.process is not None
        self._signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """End it in order."""
        if self.process is not None and self.process.poll() is None:
            self._signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.kill()

    def run(self, *command: str) -> None:
        """Run a command as the server's account."""
        subprocess.run(self._as_account(list(command)), check=True, capture_output=True)

    def _as_account(self, command: list[str]) -> list[str]:
        # setpriv becomes the command, so that the process we know is the server's own.
        if os.geteuid() != 0:
            return command
        return ["setpriv", "--reuid", self.account, "--regid", self.account, "--clear-groups", *command]

    def _signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)


class Postgres(Server):
    """PostgreSQL with what it takes for granted, fsync included."""

    account = "postgres"

    def prepare(self) -> None:
        self.bin = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        self.run(
            str(self.bin / "initdb"), "-D", str(self.folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8"
        )
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def command(self) -> list[str]:
        options = ["-c", "listen_addresses=127.0.0.1", "-p", str(self.port), "-k", str(self.folder)]
        return [str(self.bin / "postgres"), "-D", str(self.folder / "data"), *options]


class MariaDB(Server):
    """MariaDB with what it takes for granted."""

    account = "mysql"

    def prepare(self) -> None:
        self.data = f"--datadir={self.folder / 'data'}"
        install = ["mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal", self.data]
        self.run(*install)
        self.url = f"mysql://root@127.0.0.1:{self.port}/test"

    def furnish(self) -> None:
        # The database that comes with it knows the letters of western Europe alone.
        where = ["--no-defaults", "--user=root", "--protocol=tcp", "--host=127.0.0.1", f"--port={self.port}"]
        self.run("mariadb", *where, "-e", "ALTER DATABASE test CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")

    def command(self) -> list[str]:
        binary = shutil.which("mariadbd") or "/usr/sbin/mariadbd"
        where = [f"--port={self.port}", "--bind-address=127.0.0.1", f"--socket={self.folder / 'socket'}"]
        return [binary, "--no-defaults", self.data, *where]


SERVERS: dict[str, type[Server]] = {"postgres": Postgres, "mysql": MariaDB}
