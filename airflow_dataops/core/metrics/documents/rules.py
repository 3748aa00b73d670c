"""Recording and alerting rules for Prometheus.

They are written in JSON, which is YAML that needs no quoting rules; `promtool check rules` takes
it (prometheus.io/docs/prometheus/latest/configuration/recording_rules).
"""

from __future__ import annotations

import json
from typing import Any

from airflow_dataops.core.metrics import catalogue as metrics
from airflow_dataops.core.metrics.prometheus import metric_name, sample_name

_HOUR = "1h"


def rules() -> str:
    """Return the file of rules."""
    groups = [
        {"name": "airflow_dataops_recorded", "interval": "1m", "rules": _recorded()},
        {"name": "airflow_dataops_alerts", "rules": _alerts()},
    ]
    return json.dumps({"groups": groups}, indent=2) + "\n"


def _recorded() -> list[dict[str, Any]]:
    ended = " + ".join(
        f"sum by (dag) (rate({_name(metric)}[{_HOUR}]))"
        for metric in (metrics.TASK_SUCCESS, metrics.TASK_FAILURE)
    )
    failed = f"sum by (dag) (rate({_name(metrics.TASK_FAILURE)}[{_HOUR}]))"
    buckets = f"{metric_name(metrics.TASK_RUN_SECONDS.name, metrics.TASK_RUN_SECONDS.kind)}_bucket"
    runs = f"{metric_name(metrics.RUN_SECONDS.name, metrics.RUN_SECONDS.kind)}_bucket"
    return [
        {"record": "dag:airflow_task_failure:ratio_rate1h", "expr": f"{failed} / ({ended})"},
        {
            "record": "dag_task:airflow_task_run_seconds:p95_1h",
            "expr": f"histogram_quantile(0.95, sum by (dag, task, le) (rate({buckets}[{_HOUR}])))",
        },
        {
            "record": "dag:airflow_dag_run_seconds:p95_1h",
            "expr": f"histogram_quantile(0.95, sum by (dag, le) (rate({runs}[{_HOUR}])))",
        },
    ]


def _alerts() -> list[dict[str, Any]]:
    return [
        _alert(
            "AirflowTaskFailed",
            f"sum by (dag, task) (increase({_name(metrics.TASK_FAILURE)}[10m])) > 0",
            "Task {{ $labels.task }} of {{ $labels.dag }} failed.",
        ),
        _alert(
            "AirflowDagRunFailed",
            f"sum by (dag) (increase({_name(metrics.RUN_FAILURE)}[10m])) > 0",
            "A run of {{ $labels.dag }} failed.",
        ),
        _alert(
            "AirflowDagFileBroken",
            f"sum by (file) (increase({_name(metrics.IMPORT_ERROR_NEW)}[10m])) > 0",
            "{{ $labels.file }} does not load.",
        ),
        _alert(
            "AirflowTasksRetryOften",
            f"sum by (dag) (increase({_name(metrics.TASK_RETRY)}[1h])) > 10",
            "More than 10 tries of {{ $labels.dag }} were repeated within an hour.",
            severity="warning",
        ),
        _alert(
            "DataTestFailed",
            f"sum by (dag, task) (increase({_name(metrics.CHECK_FAILED)}[10m])) > 0",
            "A data test in task {{ $labels.task }} of {{ $labels.dag }} failed.",
        ),
        _alert(
            "MetricsDropped",
            f"sum by (reason) (increase({_name(metrics.DROPPED)}[10m])) > 0",
            "Measurements were dropped: {{ $labels.reason }}.",
            severity="warning",
        ),
    ]


def _alert(name: str, expression: str, summary: str, severity: str = "critical") -> dict[str, Any]:
    return {
        "alert": name,
        "expr": expression,
        "labels": {"severity": severity},
        "annotations": {"summary": summary},
    }


def _name(metric: metrics.Metric) -> str:
    return sample_name(metric.name, metric.kind)
