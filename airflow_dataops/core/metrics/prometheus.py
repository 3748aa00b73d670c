"""Names in Prometheus's form (prometheus.io/docs/practices/naming)."""

from __future__ import annotations

import re

from airflow_dataops.core.metrics.catalogue import Kind

_REFUSED = re.compile(r"[^a-zA-Z0-9_]")


def metric_name(name: str, kind: Kind) -> str:
    """Return the name of the family: `airflow.task.success` is `airflow_task_success`.

    Samples of counters end in `_total` besides, timings are in `_seconds`.
    """
    clean = label(name)
    if kind is Kind.COUNTER:
        return clean.removesuffix("_total")
    if kind is Kind.TIMING and not clean.endswith("_seconds"):
        return f"{clean}_seconds"
    return clean


def sample_name(name: str, kind: Kind) -> str:
    """Return the name to ask for: of the counter's sample, else of the family."""
    family = metric_name(name, kind)
    return f"{family}_total" if kind is Kind.COUNTER else family


def label(key: str) -> str:
    """Return a label's name: letters, digits and `_`, no digit first."""
    clean = _REFUSED.sub("_", key)
    return f"_{clean}" if clean[:1].isdigit() else clean
