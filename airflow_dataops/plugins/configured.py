"""Airflow's config section `[dataops]` -> the pipeline of this process."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from airflow.configuration import conf

from airflow_dataops.adapters.metrics.pipeline import Pipeline
from airflow_dataops.core.metrics.settings import (
    CONNECTION,
    MetricSettings,
    SinkSpec,
    parse_list,
    parse_pairs,
    parse_sink,
)
from airflow_dataops.core.metrics.tags import TagPolicy
from airflow_dataops.errors import ConfigError
from airflow_dataops.plugins.section import CONNECTION_VARIABLE, SECTION

if TYPE_CHECKING:
    from airflow_dataops.core.ports import MetricSink

_CONNECTION_ID = "dataops_metrics"


def make_pipeline() -> Pipeline:
    """Make the pipeline that `[dataops]` describes.

    Raises:
        ConfigError: a setting is wrong. A wrong address concerns its own sink alone, and is
            said when that is opened.
    """
    settings = read_settings()
    openers = {_name(address): partial(_open, address) for address in settings.sinks}
    return Pipeline(settings, openers)


def read_settings() -> MetricSettings:
    """Read the section.

    Raises:
        ConfigError: a setting is wrong.
    """
    sinks = parse_list(_get("sinks"))
    if os.environ.get(CONNECTION_VARIABLE) and f"{CONNECTION}:{_CONNECTION_ID}" not in sinks:
        sinks = (*sinks, f"{CONNECTION}:{_CONNECTION_ID}")
    allow = parse_list(_get("allow_tags"))
    return MetricSettings(
        sinks=sinks,
        policy=TagPolicy(
            allow=frozenset(allow) or None,
            deny=frozenset(parse_list(_get("deny_tags"))),
            constant=parse_pairs(_get("constant_tags")),
        ),
        flush_seconds=_number("flush_seconds", 1.0, 0.05, 60),
        exit_seconds=_number("exit_seconds", 1.0, 0, 60),
        max_series=int(_number("max_series", 2000, 1, 1_000_000)),
        task_events=_get("task_events", "True").lower() not in ("false", "f", "0", "off", "no"),
    )


def _get(name: str, default: str = "") -> str:
    return str(conf.get(SECTION, f"metrics_{name}", fallback=default)).strip() or default


def _number(name: str, default: float, least: float, most: float) -> float:
    text = _get(name, str(default))
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not least <= number <= most:
        raise ConfigError(
            f"[dataops] metrics_{name} is {text!r}; write a number from {least:g} to {most:g}"
        )
    return number


def _name(address: str) -> str:
    """Say which sink it is, without secrets, even where the address is wrong."""
    try:
        return str(parse_sink(address))
    except ConfigError:
        return "without a kind"


def _open(address: str) -> MetricSink:
    """Open the sink of one address; runs in the sink's own thread."""
    from airflow_dataops.adapters.sinks import open_sink

    spec = parse_sink(address)
    return open_sink(_of_connection(spec) if spec.kind == CONNECTION else spec)


def _of_connection(spec: SinkSpec) -> SinkSpec:
    """Read an Airflow connection as an address: its type is the kind, its extra the options."""
    from airflow.sdk import BaseHook

    found = BaseHook.get_connection(spec.path)
    return SinkSpec(
        kind=found.conn_type or "",
        host=found.host or "",
        port=found.port,
        path=f"/{found.schema}" if found.schema else "",
        login=found.login or "",
        password=found.password or "",
        options={key: str(value) for key, value in found.extra_dejson.items()},
    )
