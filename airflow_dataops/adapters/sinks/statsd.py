"""StatsD over UDP, by the client library `statsd`.

A counter is `name:value|c`, a gauge `name:value|g`, a timing `name:milliseconds|ms`
(github.com/statsd/statsd, docs/metric_types.md). The protocol has no tags: they go into the name
as `.key.value`, or behind it as `,key=value` in the form that Telegraf and statsd_exporter read.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from airflow_dataops.adapters.sinks.options import number, options_of
from airflow_dataops.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from statsd.client.udp import Pipeline

    from airflow_dataops.core.metrics.batch import Batch, Series, Timing
    from airflow_dataops.core.metrics.settings import SinkSpec

_PORT = 8125
_PART = re.compile(r"[^A-Za-z0-9_\-]+")
_VALUE = re.compile(r"[^A-Za-z0-9_.\-/+]+")


class TagStyle(StrEnum):
    """Where tags go."""

    NAME = "name"
    INFLUXDB = "influxdb"


class StatsdSink:
    """Sends datagrams of at most 512 bytes; UDP does not tell whether anybody hears them."""

    limit = 500

    def __init__(self, host: str, port: int, style: TagStyle, prefix: str) -> None:
        from statsd import StatsClient

        self._client = StatsClient(host, port, prefix=prefix or None)
        self._named = _in_name if style is TagStyle.NAME else _influxdb

    def send(self, batch: Batch) -> None:
        """Send a batch."""
        with self._client.pipeline() as lines:
            for series, value in batch.counters.items():
                lines.incr(self._named(series), number(value))
            for series, value in batch.gauges.items():
                lines.gauge(self._named(series), number(value))
            for series, timing in batch.timings.items():
                _send_timing(lines, self._named(series), timing)


def open_sink(spec: SinkSpec) -> StatsdSink:
    """Open `statsd://host:port?tags=name|influxdb&prefix=...`."""
    options = options_of(spec, ("tags", "prefix"))
    style = options.get("tags", TagStyle.NAME)
    if style not in list(TagStyle):
        raise ConfigError(f"sink statsd: tags is {style!r}; write {' or '.join(TagStyle)}")
    try:
        return StatsdSink(
            spec.host or "localhost",
            spec.port or _PORT,
            TagStyle(style),
            options.get("prefix", ""),
        )
    except ModuleNotFoundError as error:
        raise MissingExtraError("sink statsd", "statsd") from error


def _send_timing(lines: Pipeline, name: str, timing: Timing) -> None:
    """Send the values; where there are too many, a sample with its rate."""
    if timing.is_complete:
        for value in timing.values:
            lines.timing(name, 1000 * value)
        return
    rate = len(timing.values) / timing.count
    for value in timing.values:
        # Given a rate, the library draws lots; this sample is drawn already.
        lines._send_stat(name, f"{1000 * value:.6f}|ms|@{rate:.9f}", 1)


def _in_name(series: Series) -> str:
    parts = [series.name]
    for key, value in series.tags:
        parts += [_PART.sub("_", key), _PART.sub("_", value)]
    return ".".join(parts)


def _influxdb(series: Series) -> str:
    return ",".join([series.name, *(f"{k}={_VALUE.sub('_', v)}" for k, v in series.tags)])
