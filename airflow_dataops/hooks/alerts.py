"""The ledger, the alert service and the sender of this Airflow, as `[dataops]` describes them."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from airflow.configuration import conf

from airflow_dataops.adapters.ledger.database import default_url
from airflow_dataops.adapters.ledger.store import LedgerStore
from airflow_dataops.adapters.local_files import read_settings_file
from airflow_dataops.adapters.messages import check_templates
from airflow_dataops.adapters.outbox.sender import Sender
from airflow_dataops.adapters.outbox.service import AlertService
from airflow_dataops.core.alerts.config import AlertsConfig, parse_config
from airflow_dataops.core.yaml_loader import Bounded
from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks.receivers import open_receiver

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_dataops.core.alerts.receiver import Receiver

_SECTION = "dataops"


class SystemClock:
    """The `Clock` port: this machine's time."""

    def now(self) -> datetime:
        """Return the present time in UTC."""
        return datetime.now(UTC)


def open_ledger(*, migrate: bool | None = None) -> LedgerStore:
    """Return this process's ledger: `[dataops] ledger`, a URL or `conn:conn_id`.

    Without the setting it is a SQLite file beside Airflow's home, which is right for one
    machine; workers on several need Postgres.

    Args:
        migrate: whether its tables are brought up to date; by default `[dataops]
            ledger_migrate`.

    Raises:
        ConfigError: the setting or the connection is wrong, or the tables are not up to date.
    """
    setting = conf.get(_SECTION, "ledger", fallback="").strip()
    allowed = conf.getboolean(_SECTION, "ledger_migrate", fallback=True)
    return _opened(setting or default_url(), allowed if migrate is None else migrate)


def read_alerts_config(path: str | None = None) -> AlertsConfig:
    """Read the alerts file: `[dataops] alerts_config` unless another path is given.

    Without a file there are no routes.

    Raises:
        ConfigError: it cannot be read, or is wrong; tells all mistakes at once.
    """
    found = path or conf.get(_SECTION, "alerts_config", fallback="").strip()
    if not found:
        return AlertsConfig()
    file = Path(os.path.expandvars(found)).expanduser()
    try:
        return _read_config(str(file), file.stat().st_mtime_ns)
    except OSError as error:
        raise ConfigError(f"[dataops] alerts_config: {file} cannot be read: {error}") from None


def has_alerts_file() -> bool:
    """Tell whether `[dataops] alerts_config` names a file."""
    return bool(conf.get(_SECTION, "alerts_config", fallback="").strip())


def alert_service(config: AlertsConfig | None = None) -> AlertService:
    """Return where alerts and misses are handed in.

    Raises:
        ConfigError: a setting is wrong.
    """
    routes = read_alerts_config() if config is None else config
    return AlertService(open_ledger().database, routes, SystemClock())


def alert_sender(
    config: AlertsConfig | None = None,
    open_address: Callable[[str], Receiver] = open_receiver,
    ledger: LedgerStore | None = None,
) -> Sender:
    """Return a sender of what is in the outbox.

    Raises:
        ConfigError: a setting is wrong.
    """
    routes = read_alerts_config() if config is None else config
    database = (ledger or open_ledger()).database
    return Sender(database, routes, open_address, SystemClock())


@lru_cache(maxsize=4)
def _opened(setting: str, migrate: bool) -> LedgerStore:
    """Open a database once; a forked child makes connections of its own."""
    return LedgerStore(_url_of(setting), migrate=migrate)


def _url_of(setting: str) -> str:
    if not setting.startswith("conn:"):
        return setting
    from airflow.sdk import BaseHook

    conn_id = setting.removeprefix("conn:")
    connection = BaseHook.get_connection(conn_id)
    if connection.conn_type not in ("postgres", "postgresql", "sqlite"):
        raise ConfigError(
            f"[dataops] ledger: connection {conn_id!r} is of type {connection.conn_type!r}; "
            "take Postgres or SQLite."
        )
    if connection.conn_type == "sqlite":
        return f"sqlite:///{connection.host}"
    from sqlalchemy.engine import URL

    options = {
        key: str(value)
        for key, value in connection.extra_dejson.items()
        if key in ("sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout", "options")
    }
    url = URL.create(
        "postgresql",
        username=connection.login,
        password=connection.password,
        host=connection.host,
        port=connection.port,
        database=connection.schema,
        query=options,
    )
    return url.render_as_string(hide_password=False)


@lru_cache(maxsize=4)
def _read_config(path: str, _changed: int) -> AlertsConfig:
    try:
        data = yaml.load(read_settings_file(Path(path)), Bounded)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not YAML: {error}") from None
    config = parse_config(data or {}, path)
    check_templates(config.messages)
    return config
