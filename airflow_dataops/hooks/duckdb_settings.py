"""Reads what an Airflow connection of type `duckdb` says.

==========================================  ==================================================
host, or the path of a URI                  what opens
==========================================  ==================================================
empty, `:memory:`                           a database in memory
`/data/shop.duckdb`                         that file
`shop.duckdb`, `data/shop.duckdb`           that file under `AIRFLOW_HOME`
`duckdb:///data/shop.duckdb`, `duckdb:////` `/data/shop.duckdb`: a URI's path is absolute
`md:shop`, `motherduck:shop`                MotherDuck; in a URI `duckdb://:TOKEN@md%3Ashop`
==========================================  ==================================================

Airflow lower-cases the host of a URI, so write a relative path with capitals as JSON.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.configuration import AIRFLOW_HOME

from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from airflow.sdk import Connection

MEMORY = ":memory:"
DEFAULT_LOCK_TIMEOUT = 600.0
EXTRAS = ("config", "database", "lock_timeout", "motherduck_token", "read_only")
# What common-sql itself reads from the extra of any connection.
_COMMON_SQL_EXTRAS = (
    "dialect",
    "escape_column_names",
    "escape_word_format",
    "insert_statement_format",
    "placeholder",
    "replace_statement_format",
    "sqlalchemy_scheme",
)
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


@dataclass(frozen=True, slots=True)
class DuckDBSettings:
    """What to open and how.

    Attributes:
        target: an absolute path, `:memory:` or `md:name`.
        database: the name to attach it under; None for DuckDB's own (the file's stem).
        config: DuckDB's settings by name; not shown in the repr, as they may hold secrets.
        lock_timeout: seconds to wait for the file.
        token: MotherDuck's; not shown in the repr.
        unknown_extras: names in the connection's extra that mean nothing here.
    """

    target: str = MEMORY
    database: str | None = None
    config: tuple[tuple[str, Any], ...] = field(default=(), repr=False)
    lock_timeout: float = DEFAULT_LOCK_TIMEOUT
    read_only: bool = False
    token: str | None = field(default=None, repr=False)
    unknown_extras: tuple[str, ...] = ()

    @property
    def path(self) -> Path | None:
        """The file, or None where there is none."""
        if self.target == MEMORY or self.is_motherduck:
            return None
        return Path(self.target)

    @property
    def instance(self) -> tuple[object, ...]:
        """What two sessions on one file must have in common to share a DuckDB instance."""
        return (self.database or Path(self.target).stem, self.config, self.read_only)

    @property
    def is_motherduck(self) -> bool:
        """Whether the database lives in MotherDuck."""
        return self.target.startswith("md:")


def read_settings(connection: Connection) -> DuckDBSettings:
    """Read an Airflow connection.

    Raises:
        ConfigError: an extra has a value of the wrong kind.
    """
    extra = connection.extra_dejson
    conn_id = connection.conn_id or "duckdb"
    return DuckDBSettings(
        target=_target(connection.host or "", connection.schema or ""),
        database=_text(extra, "database", conn_id),
        config=tuple(sorted(_mapping(extra, "config", conn_id).items())),
        lock_timeout=_seconds(extra, "lock_timeout", conn_id),
        read_only=_flag(extra, "read_only", conn_id),
        token=connection.password or _text(extra, "motherduck_token", conn_id),
        unknown_extras=tuple(sorted(set(extra) - {*EXTRAS, *_COMMON_SQL_EXTRAS})),
    )


def _target(host: str, uri_path: str) -> str:
    if host.startswith(("/", "~", MEMORY)) or ":" in host or not uri_path:
        written = host
    elif host:
        written = f"{host}/{uri_path}"
    else:
        written = uri_path if ":" in uri_path else f"/{uri_path.lstrip('/')}"
    if written in ("", MEMORY):
        return MEMORY
    scheme, _, name = written.partition(":")
    if scheme in ("md", "motherduck"):
        return f"md:{name}"
    return os.path.abspath(Path(AIRFLOW_HOME) / Path(written).expanduser())


def _text(extra: dict[str, Any], name: str, conn_id: str) -> str | None:
    value = extra.get(name)
    if value is None or (isinstance(value, str) and value):
        return value
    raise _wrong(conn_id, name, "a text that is not empty", value)


def _seconds(extra: dict[str, Any], name: str, conn_id: str) -> float:
    value = extra.get(name, DEFAULT_LOCK_TIMEOUT)
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = -1.0
    if isinstance(value, bool) or not 0 <= seconds < float("inf"):
        raise _wrong(conn_id, name, "a number of seconds, 0 or more", value)
    return seconds


def _flag(extra: dict[str, Any], name: str, conn_id: str) -> bool:
    value = str(extra.get(name, False)).lower()
    if value not in _TRUE + _FALSE:
        raise _wrong(conn_id, name, "true or false", extra[name])
    return value in _TRUE


def _mapping(extra: dict[str, Any], name: str, conn_id: str) -> dict[str, Any]:
    value = extra.get(name) or {}
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError:
            value = None
    if not isinstance(value, dict):
        raise _wrong(conn_id, name, 'an object such as {"threads": 2}', extra[name])
    return value


def _wrong(conn_id: str, name: str, wanted: str, value: Any) -> ConfigError:
    shown = "a value that is hidden" if name == "motherduck_token" else repr(value)
    return ConfigError(f"connection {conn_id!r}: extra {name!r} must be {wanted}, not {shown}.")
