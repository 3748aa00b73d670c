"""Prometheus's pushgateway, through its official client library.

The gateway keeps the last push of a group, so a group is a host and what is pushed are the
host's totals.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError

from airflow_dataops.adapters.sinks.exposition import registry_of
from airflow_dataops.adapters.sinks.options import options_of, seconds_of
from airflow_dataops.adapters.sinks.totals import Totals, locked
from airflow_dataops.errors import MissingExtraError, RetryableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_dataops.core.metrics.batch import Batch
    from airflow_dataops.core.metrics.settings import SinkSpec

_PORT = 9091
_OPTIONS = ("job", "instance", "state", "timeout")


class PushgatewaySink:
    """Pushes the totals of this host."""

    limit = 10_000

    def __init__(self, push: Callable[[Any], None], state: Path) -> None:
        self._push = push
        self._state = state

    def send(self, batch: Batch) -> None:
        """Push the totals with a batch added to them.

        Raises:
            RetryableError: the gateway was not reached, or did not take them.
        """
        with locked(self._state):
            totals = Totals.read(self._state)
            totals.add(batch)
            try:
                self._push(registry_of(totals))
            except HTTPError as error:
                said = error.read(300).decode("utf-8", "replace").strip()
                raise RetryableError(f"it answers {error.code} {error.reason} {said}") from error
            except URLError as error:
                raise RetryableError(f"cannot be reached: {error.reason}") from error
            totals.write(self._state)


def open_sink(spec: SinkSpec) -> PushgatewaySink:
    """Open `pushgateway://host:port`, or `pushgateways://` over TLS.

    Options: `job` (airflow), `instance` (the host's name), `timeout`, and `state`, the file with
    the totals of this host. Login and password are sent by basic authentication.
    """
    options = options_of(spec, _OPTIONS)
    try:
        from prometheus_client import push_to_gateway
        from prometheus_client.exposition import basic_auth_handler, default_handler
    except ModuleNotFoundError as error:
        raise MissingExtraError("sink pushgateway", "prometheus") from error
    scheme = "https" if spec.kind == "pushgateways" else "http"
    address = f"{scheme}://{spec.host or 'localhost'}:{spec.port or _PORT}{spec.path}"
    timeout = seconds_of(spec, 5)

    def with_login(
        url: str, method: str, timeout: float | None, headers: list[Any], data: bytes
    ) -> Callable[[], None]:
        handler = default_handler
        if spec.login:
            return basic_auth_handler(
                url, method, timeout, headers, data, spec.login, spec.password
            )
        return handler(url, method, timeout, headers, data)

    group = {"instance": options.get("instance") or socket.gethostname()}

    def push(registry: Any) -> None:
        job = options.get("job", "airflow")
        push_to_gateway(address, job, registry, group, timeout, with_login)

    return PushgatewaySink(push, _state(spec, options))


def _state(spec: SinkSpec, options: dict[str, str]) -> Path:
    if "state" in options:
        return Path(options["state"])
    home = os.environ.get("AIRFLOW_HOME") or Path.home() / "airflow"
    name = f"pushgateway-{spec.host or 'localhost'}-{spec.port or _PORT}.json"
    return Path(home) / "dataops" / "metrics" / name
