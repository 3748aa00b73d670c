"""Datadog's agent over UDP or a Unix socket, by the client library `datadog`.

Timings go as distributions in seconds, which Datadog can sum over hosts; tags as
`|#key:value,...` (docs.datadoghq.com/developers/dogstatsd/datagram_shell).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.adapters.sinks.options import check, number, options_of
from airflow_dataops.errors import MissingExtraError

if TYPE_CHECKING:
    from datadog.dogstatsd.base import DogStatsd

    from airflow_dataops.core.metrics.batch import Batch, Series
    from airflow_dataops.core.metrics.settings import SinkSpec

_PORT = 8125


class DogStatsdSink:
    """Sends datagrams; only a Unix socket tells whether somebody hears them."""

    limit = 500

    def __init__(self, client: DogStatsd) -> None:
        self._client = client

    def send(self, batch: Batch) -> None:
        """Send a batch.

        Raises:
            RetryableError: the agent's socket did not take it.
        """
        client = self._client
        for series, value in batch.counters.items():
            client.increment(series.name, number(value), _tags(series))
        for series, value in batch.gauges.items():
            client.gauge(series.name, number(value), _tags(series))
        for series, timing in batch.timings.items():
            rate = len(timing.values) / timing.count
            for value in timing.values:
                # `distribution` would draw lots for a rate below 1; this sample is drawn already.
                client._report(series.name, "d", value, _tags(series), rate, sampling=False)
        check(client.flush(), "the agent's socket takes nothing")


def open_sink(spec: SinkSpec) -> DogStatsdSink:
    """Open `dogstatsd://host:port` or, for a Unix socket, `dogstatsd:///path`."""
    options_of(spec, ())
    try:
        from datadog.dogstatsd.base import DogStatsd
    except ModuleNotFoundError as error:
        raise MissingExtraError("sink dogstatsd", "datadog") from error
    client = DogStatsd(
        host=spec.host or "localhost",
        port=spec.port or _PORT,
        socket_path=spec.path if spec.path and not spec.host else None,
        disable_telemetry=True,
        disable_buffering=False,
        # What is buffered is flushed after each batch; no thread of its own is needed.
        flush_interval=0,
        origin_detection_enabled=False,
        socket_timeout=1,
    )
    client.get_socket()
    return DogStatsdSink(client)


def _tags(series: Series) -> list[str]:
    return [f"{key}:{value}" for key, value in series.tags]
