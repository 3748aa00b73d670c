"""Where metrics can go: one file per kind, each of which imports its client library itself."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.metrics.settings import CUSTOM, SinkSpec
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from airflow_dataops.core.ports import MetricSink

_HOMES = {
    "cloudwatch": "cloudwatch",
    "dogstatsd": "dogstatsd",
    "emf": "emf",
    "otlp": "otlp",
    "otlps": "otlp",
    "pushgateway": "pushgateway",
    "pushgateways": "pushgateway",
    "statsd": "statsd",
    "textfile": "textfile",
}
KINDS = tuple(sorted(_HOMES))
"""The kinds of sinks that there are, as written in an address."""


def open_sink(spec: SinkSpec) -> MetricSink:
    """Make a sink.

    Raises:
        ConfigError: there is no such sink, or its address has what it does not know.
        MissingExtraError: its client library is not installed.
    """
    if spec.kind == CUSTOM:
        return _own_sink(spec)
    if spec.kind not in _HOMES:
        raise ConfigError(
            f"there is no sink {spec.kind!r}. There are {', '.join(KINDS)}; one of your own is "
            "written import:package.module.Class"
        )
    home: Any = import_module(f"{__name__}.{_HOMES[spec.kind]}")
    sink: MetricSink = home.open_sink(spec)
    return sink


def _own_sink(spec: SinkSpec) -> MetricSink:
    module, _, name = spec.path.replace(":", ".").rpartition(".")
    try:
        class_ = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"{spec.path!r} cannot be imported: {error}") from error
    sink: MetricSink = class_(**spec.options)
    if not hasattr(sink, "send") or not hasattr(sink, "limit"):
        raise ConfigError(f"{spec.path!r} is no sink: it needs `limit` and `send(batch)`")
    return sink
