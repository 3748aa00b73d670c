"""Whatever Apprise speaks (Teams, Discord, Opsgenie, ntfy, ...): a hundred services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import BaseHook

from airflow_dataops.adapters.apprise_urls import notify
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from airflow_dataops.core.alerts.alert import Message


class AppriseReceiver:
    """Args: `conn_id`, a connection with an Apprise URL as its password, or `url` in its extra.

    The forms of URLs are on https://appriseit.com/services/.
    """

    def __init__(self, conn_id: str) -> None:
        connection = BaseHook.get_connection(conn_id)
        self._url = str(connection.password or connection.extra_dejson.get("url") or "")
        if "://" not in self._url:
            raise ConfigError(f"Connection {conn_id!r} has no Apprise URL as its password.")

    def send(self, message: Message) -> None:
        """Send a notification; see `Receiver.send`."""
        notify(self._url, message)
