"""CloudWatch's embedded metric format: one line of JSON per set of tags, on stdout or in a file.

Where the log goes to CloudWatch Logs, AWS makes metrics of it without any request from here
(docs.aws.amazon.com/AmazonCloudWatch, "Embedded metric format specification").
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_dataops.adapters.sinks.cloudwatch import MOST_DIMENSIONS, NAMESPACE
from airflow_dataops.adapters.sinks.options import number, options_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.core.metrics.batch import Batch, Timing
    from airflow_dataops.core.metrics.settings import SinkSpec
    from airflow_dataops.core.metrics.tags import Tags

_MOST_METRICS = 100


class EmfSink:
    """Writes lines."""

    limit = 500

    def __init__(self, path: Path | None, namespace: str) -> None:
        self._path = path
        self._namespace = namespace

    def send(self, batch: Batch) -> None:
        """Write a batch, in one piece."""
        lines = "".join(f"{json.dumps(line)}\n" for line in self._lines(batch))
        if self._path is None:
            sys.stdout.write(lines)
            sys.stdout.flush()
            return
        with self._path.open("a", encoding="utf-8") as file:
            file.write(lines)

    def _lines(self, batch: Batch) -> Iterator[dict[str, Any]]:
        by_tags: defaultdict[Tags, list[tuple[str, str, Any]]] = defaultdict(list)
        for series, value in batch.counters.items():
            by_tags[series.tags].append((series.name, "Count", number(value)))
        for series, value in batch.gauges.items():
            by_tags[series.tags].append((series.name, "None", value))
        for series, timing in batch.timings.items():
            by_tags[series.tags].append((series.name, "Seconds", _values(timing)))
        now = time.time_ns() // 1_000_000
        for tags, found in by_tags.items():
            for start in range(0, len(found), _MOST_METRICS):
                yield self._line(dict(tags[:MOST_DIMENSIONS]), found[start:][:_MOST_METRICS], now)

    def _line(
        self, tags: dict[str, str], found: list[tuple[str, str, Any]], now: int
    ) -> dict[str, Any]:
        directive = {
            "Namespace": self._namespace,
            "Dimensions": [list(tags)],
            "Metrics": [{"Name": name, "Unit": unit} for name, unit, _ in found],
        }
        values = {name: value for name, _, value in found}
        return {"_aws": {"Timestamp": now, "CloudWatchMetrics": [directive]}, **tags, **values}


def open_sink(spec: SinkSpec) -> EmfSink:
    """Open `emf://stdout` or `emf:///path`; option `namespace`.

    In a task, stdout is the task's log. `emf:///proc/1/fd/1` is the stdout of the container.
    """
    options = options_of(spec, ("namespace",))
    path = None if spec.host == "stdout" or not spec.path else Path(spec.path)
    return EmfSink(path, options.get("namespace", NAMESPACE))


def _values(timing: Timing) -> Any:
    if timing.is_complete:
        return timing.values
    return {
        "Count": timing.count,
        "Sum": timing.total,
        "Min": timing.least,
        "Max": timing.greatest,
    }
