"""How the local Airflow is run: its folder, its options, its environment variables."""

from __future__ import annotations

import json
import os
import secrets
import socket
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

USER = "admin"
# Byte code is what makes a second import of Airflow four times faster than the first.
DROPPED_VARIABLES = frozenset({"PYTHONDONTWRITEBYTECODE"})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How Airflow is run.

    Attributes:
        home: folder for metadata, logs and configuration; made if missing, kept afterwards.
        dags_folder: where the DAG files are.
        parallelism: how many tasks may run at the same time.
        port: of the web server; 0 for any free one.
        parse_seconds: least time between two looks at a DAG file and at the folder.
        scheduled: whether schedules make runs; if not, only what is triggered runs.
        environment: additional variables, such as `AIRFLOW_CONN_WAREHOUSE`.
        startup_timeout: seconds until all processes must be healthy.
        grace: seconds that the processes get to end.
    """

    home: Path
    dags_folder: Path
    parallelism: int = 4
    port: int = 0
    parse_seconds: int = 5
    scheduled: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)
    startup_timeout: float = 180.0
    grace: float = 4.0


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing listens on now."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def airflow_environment(settings: Settings, port: int) -> dict[str, str]:
    """All variables of Airflow's processes: the user's, without their Airflow settings, and ours.

    Airflow variables of the surrounding shell are dropped, so that nobody's real database or
    connections are touched.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AIRFLOW") and name not in DROPPED_VARIABLES
    }
    return {
        **inherited,
        "AIRFLOW_HOME": str(settings.home),
        "NO_PROXY": _without_proxy(inherited),
        "no_proxy": _without_proxy(inherited),
        **_airflow_options(settings, port),
        **settings.environment,
    }


def _without_proxy(environment: Mapping[str, str]) -> str:
    named = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
    return ",".join(filter(None, (named, "127.0.0.1", "localhost")))


def _airflow_options(settings: Settings, port: int) -> dict[str, str]:
    options = {
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_FOLDER": str(settings.dags_folder),
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": str(settings.parallelism),
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(settings.home / "passwords.json"),
        "CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        # A writer waits for the others instead of failing with "database is locked".
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{settings.home / 'airflow.db'}?timeout=60",
        "API__HOST": "127.0.0.1",
        "API__PORT": str(port),
        "API__BASE_URL": f"http://127.0.0.1:{port}",
        "API__WORKERS": "1",
        "API__SECRET_KEY": secrets.token_hex(32),
        "API_AUTH__JWT_SECRET": secrets.token_hex(32),
        "DAG_PROCESSOR__REFRESH_INTERVAL": str(settings.parse_seconds),
        "DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": str(settings.parse_seconds),
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": str(settings.parse_seconds),
        "SCHEDULER__USE_JOB_SCHEDULE": str(settings.scheduled),
        # The supervisor of a task that ended may sleep this long before it looks (default 5 s).
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        # On a busy machine the default of 5 s kills tasks as they start.
        "WORKERS__EXECUTION_API_TIMEOUT": "60",
        # The default of 1 s is added to every step of a chain of tasks.
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    return {f"AIRFLOW__{name}": value for name, value in options.items()}


def password_of(home: Path) -> str:
    """The password of this home, made on first use and readable by its owner only."""
    file = home / "passwords.json"
    if file.exists():
        return str(json.loads(file.read_text(encoding="utf-8"))[USER])
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    password = secrets.token_urlsafe(12)
    with open(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as output:
        json.dump({USER: password}, output)
    return password


def prepare_sqlite(home: Path) -> None:
    """Let readers of the metadata go on while one process writes."""
    with closing(sqlite3.connect(home / "airflow.db")) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
