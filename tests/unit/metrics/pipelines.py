"""Pipelines of the tests: quick, with sinks that are there already."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from airflow_dataops.adapters.metrics import current
from airflow_dataops.adapters.metrics.pipeline import Pipeline
from airflow_dataops.adapters.sinks import open_sink
from airflow_dataops.core.metrics.settings import MetricSettings, parse_sink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_dataops.core.ports import MetricSink

QUICK = MetricSettings(sinks=("test",), flush_seconds=0.05, exit_seconds=2.0)


def pipeline_into(*sinks: MetricSink, settings: MetricSettings = QUICK) -> Pipeline:
    return Pipeline(settings, {f"sink-{n}": (lambda s=sink: s) for n, sink in enumerate(sinks)})


def pipeline_to(*addresses: str, settings: MetricSettings = QUICK) -> Pipeline:
    openers: dict[str, Callable[[], MetricSink]] = {
        str(parse_sink(address)): partial(open_sink, parse_sink(address)) for address in addresses
    }
    return Pipeline(settings, openers)


@contextmanager
def in_use(pipeline: Pipeline) -> Iterator[Pipeline]:
    """Let `metrics.count` and the like go through a pipeline."""
    current.use(pipeline)
    try:
        yield pipeline
    finally:
        current.use(None)
        current.use_context(())
