"""The catalogue as a page of the documentation."""

from __future__ import annotations

from airflow_dataops.core.metrics.catalogue import CATALOGUE, Kind, Metric, Origin
from airflow_dataops.core.metrics.prometheus import sample_name

_TITLES = {
    Origin.RUN_END: (
        "Counted when a run has ended",
        "Read from Airflow's database: equal to it, whatever happened to the processes.",
    ),
    Origin.LIVE: (
        "Told as it happens",
        "By the process that sees it. What a killed process would have told is missing.",
    ),
    Origin.TASK: (
        "Reported by the package's operators",
        "In the task's process, with the tags of the task.",
    ),
    Origin.SELF: ("About the metrics", ""),
}


def page() -> str:
    """Return the page, Markdown."""
    parts = [
        "# Catalogue of metrics\n",
        "Made from the code by `airflow-dataops metrics` (`make metrics`). How to switch metrics "
        "on: [metrics](metrics.md).\n",
    ]
    for origin, (title, what) in _TITLES.items():
        parts.append(f"## {title}\n")
        if what:
            parts.append(f"{what}\n")
        parts.append(_table([metric for metric in CATALOGUE if metric.origin is origin]))
    return "\n".join(parts)


def _table(metrics: list[Metric]) -> str:
    rows = ["| name | kind | tags | meaning |", "| --- | --- | --- | --- |"]
    rows += [_row(metric) for metric in metrics]
    return "\n".join(rows) + "\n"


def _row(metric: Metric) -> str:
    prometheus = sample_name(metric.name, metric.kind)
    kind = "timing (s)" if metric.kind is Kind.TIMING else metric.kind.value
    tags = ", ".join(f"`{tag}`" for tag in metric.tags)
    return f"| `{metric.name}`<br>`{prometheus}` | {kind} | {tags} | {metric.help} |"
