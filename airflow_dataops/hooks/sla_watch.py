"""The watcher of this Airflow's SLAs, as `[dataops]` and its connections describe it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from airflow.configuration import conf

from airflow_dataops.adapters.airflow_rest import PASSWORD, TOKEN, URL, USERNAME
from airflow_dataops.adapters.outbox.service import AlertService
from airflow_dataops.adapters.watch.history import LedgerHistory
from airflow_dataops.adapters.watch.reader import AirflowReader
from airflow_dataops.adapters.watch.reconciler import Reconciler
from airflow_dataops.errors import ConfigError
from airflow_dataops.hooks.alerts import SystemClock, open_ledger, read_alerts_config
from airflow_dataops.hooks.sla_callbacks import call_on_sla_miss
from airflow_dataops.hooks.sla_files import configured_rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.adapters.ledger.store import LedgerStore
    from airflow_dataops.core.sla.misses import SlaMiss
    from airflow_dataops.core.sla.policies import Sla

CONN_ID = "airflow_api"


def open_watch(
    conn_id: str | None = None,
    *,
    url: str | None = None,
    more: Sequence[Sla] = (),
    ledger: LedgerStore | None = None,
) -> Reconciler:
    """Return a watcher of an Airflow's SLAs, with the ledger and the alerts of this one.

    Args:
        conn_id: an Airflow connection of any HTTP type: `host` (with `schema` for http or
            https, and `port`), `login` and `password`, or the token alone as password. By
            default `airflow_api` where there is such a one; otherwise `AIRFLOW_API_URL` (or
            `[api] base_url`) and `AIRFLOW_API_TOKEN`, or `AIRFLOW_API_USERNAME` and
            `AIRFLOW_API_PASSWORD`, of the environment.
        url: another address.
        more: SLAs that no DAG declares, besides those of the SLA file `[dataops] slas`.
        ledger: another than `[dataops] ledger`; its outbox takes the alerts.

    Raises:
        ConfigError: a setting or the connection is wrong.
    """
    environ = _environ(conn_id)
    pages = conf.get("api", "base_url", fallback="")
    clock, kept = SystemClock(), ledger or open_ledger()
    return Reconciler(
        AirflowReader(url or environ.get(URL) or pages, environ),
        kept,
        AlertService(kept.database, read_alerts_config(), clock),
        clock,
        tell=_tell,
        history=LedgerHistory(kept, clock),
        more=more,
        rules=configured_rules(),
        url=pages or url or environ.get(URL, ""),
    )


def _tell(sla: Sla, miss: SlaMiss) -> None:
    call_on_sla_miss(miss, sla.on_miss)


def _environ(conn_id: str | None) -> dict[str, str]:
    """Return who calls, in the words of `airflow_api`."""
    given = dict(os.environ)
    if conn_id is None and (given.get(TOKEN) or given.get(USERNAME)):
        return given
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        connection = BaseHook.get_connection(conn_id or CONN_ID)
    except AirflowNotFoundException:
        if conn_id is None:
            return given
        raise ConfigError(
            f"There is no connection {conn_id!r}; it tells where the api-server is and who calls."
        ) from None
    found = {} if not connection.host else {URL: _url(connection)}
    login, password = connection.login, connection.password or ""
    if login:
        return found | {USERNAME: login, PASSWORD: password}
    return found | {TOKEN: password}


def _url(connection: object) -> str:
    """Write the address of a connection; its type or its schema may name http or https."""
    host = str(getattr(connection, "host", ""))
    port = getattr(connection, "port", None)
    if "://" not in host:
        scheme = getattr(connection, "schema", None) or "http"
        host = f"{scheme}://{host}"
    return host.rstrip("/") + (f":{port}" if port else "")
