"""Bring the tables up to date: with Alembic, and without it when they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from airflow_dataops.adapters.ledger.tables import HEAD, VERSION_TABLE
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from airflow_dataops.adapters.ledger.database import Database

_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 7_326_517_201
"""Of Postgres's advisory locks; any number that nobody else takes."""


def ensure_current(database: Database, *, migrate: bool = True) -> None:
    """Bring the tables to `HEAD` unless they are there; many processes may ask at once.

    Raises:
        ConfigError: a newer release of this package has written the tables, or they are not up
            to date and not to be brought there.
    """
    with database.read() as connection:
        found = revision_of(connection)
    if found == HEAD:
        return
    if not migrate:
        raise ConfigError(
            f"{database} is of revision {found or 'none'}, this release needs {HEAD}. Run "
            "`airflow-dataops ledger migrate` as somebody who may change tables."
        )
    upgrade(database, HEAD)


def revision_of(connection: Connection) -> str | None:
    """Return the revision of the tables, None where there are none."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608
    return found.scalar()


def upgrade(database: Database, revision: str) -> None:
    """Run Alembic's upgrade in one transaction that others wait for.

    Raises:
        ConfigError: the tables are of a revision that this release does not know.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with database.write() as connection:
        if database.dialect == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        found = revision_of(connection)
        if found is not None and found not in known:
            raise ConfigError(
                f"{database} is of revision {found}, which this release does not know "
                f"(it knows {HEAD}). Upgrade airflow-dataops here."
            )
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
