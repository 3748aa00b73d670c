"""A Grafana dashboard over Prometheus: one panel per metric, a row per origin.

The form is Grafana's dashboard JSON model (grafana.com/docs, "JSON model"), schema version 39.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.metrics.catalogue import CATALOGUE, Kind, Metric, Origin, Unit
from airflow_dataops.core.metrics.prometheus import metric_name, sample_name

if TYPE_CHECKING:
    from collections.abc import Iterator

_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_WIDTH, _HEIGHT, _COLUMNS = 8, 8, 3
_TITLES = {
    Origin.RUN_END: "Runs and tasks, counted when a run has ended",
    Origin.LIVE: "As it happens",
    Origin.TASK: "Data: rows, checks, freshness",
    Origin.SELF: "Metrics themselves",
}
_UNITS = {Unit.ONE: "short", Unit.SECONDS: "s", Unit.BYTES: "bytes"}


def dashboard() -> str:
    """Return the dashboard, JSON."""
    board = {
        "uid": "airflow-dataops",
        "title": "Airflow DataOps",
        "tags": ["airflow"],
        "timezone": "browser",
        "schemaVersion": 39,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "templating": {"list": _variables()},
        "panels": list(_panels()),
    }
    return json.dumps(board, indent=2) + "\n"


def _variables() -> list[dict[str, Any]]:
    started = sample_name("airflow.dag_run.started", Kind.COUNTER)
    return [
        {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"},
        {
            "name": "dag",
            "label": "DAG",
            "type": "query",
            "datasource": _SOURCE,
            "query": f"label_values({started}, dag)",
            "includeAll": True,
            "allValue": ".*",
            "multi": True,
            "current": {"text": "All", "value": "$__all"},
            "refresh": 2,
        },
    ]


def _panels() -> Iterator[dict[str, Any]]:
    top, number = 0, 1
    for origin, title in _TITLES.items():
        yield {
            "id": number,
            "type": "row",
            "title": title,
            "gridPos": {"x": 0, "y": top, "w": 24, "h": 1},
            "panels": [],
        }
        number, top = number + 1, top + 1
        found = [metric for metric in CATALOGUE if metric.origin is origin]
        for place, metric in enumerate(found):
            row, column = divmod(place, _COLUMNS)
            position = {
                "x": column * _WIDTH,
                "y": top + row * _HEIGHT,
                "w": _WIDTH,
                "h": _HEIGHT,
            }
            yield _panel(metric, number, position)
            number += 1
        top += -(-len(found) // _COLUMNS) * _HEIGHT


def _panel(metric: Metric, number: int, position: dict[str, int]) -> dict[str, Any]:
    return {
        "id": number,
        "type": "timeseries",
        "title": metric.name,
        "description": metric.help,
        "datasource": _SOURCE,
        "gridPos": position,
        "fieldConfig": {"defaults": {"unit": _UNITS[metric.unit], "min": 0}, "overrides": []},
        "targets": [
            {"refId": "A", "expr": _expression(metric), "legendFormat": _legend(metric)},
        ],
    }


def _expression(metric: Metric) -> str:
    by = _by(metric)
    chosen = '{dag=~"$dag"}' if "dag" in metric.tags else ""
    name = sample_name(metric.name, metric.kind)
    group = f"by ({', '.join(by)}) " if by else ""
    if metric.kind is Kind.COUNTER:
        return f"sum {group}(increase({name}{chosen}[$__rate_interval]))"
    if metric.kind is Kind.GAUGE:
        return f"max {group}({name}{chosen})"
    family = metric_name(metric.name, metric.kind)
    among = ", ".join((*by, "le"))
    rate = f"rate({family}_bucket{chosen}[$__rate_interval])"
    return f"histogram_quantile(0.95, sum by ({among}) ({rate}))"


def _by(metric: Metric) -> tuple[str, ...]:
    """Return what the lines of a panel stand for: a DAG, or the one tag that says most."""
    if metric.kind is Kind.GAUGE:
        return tuple(tag for tag in ("dag", "node") if tag in metric.tags)
    if "dag" in metric.tags:
        return ("dag", "state") if "state" in metric.tags else ("dag",)
    return metric.tags[:1]


def _legend(metric: Metric) -> str:
    return " ".join(f"{{{{{tag}}}}}" for tag in _by(metric)) or metric.name
