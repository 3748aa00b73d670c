"""Report numbers of your own from a task or a callback.

    from airflow_dataops import metrics

    metrics.count("orders.loaded", 42, tags={"country": "de"})

They go to the sinks of Airflow's config section `[dataops]`; where there are none, the calls do
nothing. They return at once, send in the background, and raise nothing: what cannot be sent is
said once in the log. Inside a task, the tags `dag`, `task`, `owner` and `tier` are added.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.adapters.metrics import current

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_dataops.adapters.metrics.current import Value


def count(name: str, value: float = 1, *, tags: Mapping[str, Value] | None = None) -> None:
    """Add to a counter.

    Args:
        name: letters, digits, `_`, `.` and `-`; other characters become `_`.
        value: how much to add, 0 or more.
        tags: few values each: a country, not a customer.
    """
    current.report("counter", name, value, tags)


def gauge(name: str, value: float, *, tags: Mapping[str, Value] | None = None) -> None:
    """Set a gauge, such as a size or an age; the last value holds."""
    current.report("gauge", name, value, tags)


def timing(name: str, seconds: float, *, tags: Mapping[str, Value] | None = None) -> None:
    """Add a duration, in seconds, to a distribution."""
    current.report("timing", name, seconds, tags)


def flush(seconds: float | None = None) -> bool:
    """Send what is still in the queue; return whether all of it was sent.

    Airflow's processes do this at their end; a script of your own may want to.

    Args:
        seconds: longest time that it takes; None for the setting `metrics_exit_seconds`.
    """
    return current.flush(seconds)
