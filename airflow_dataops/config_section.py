"""Airflow's config section `[dataops]`, in the form of Airflow's provider schema."""

from __future__ import annotations

from typing import Any


def _option(description: str, default: str, example: str | None, type_: str) -> dict[str, Any]:
    return {
        "description": description,
        "version_added": "0.1.0",
        "type": type_,
        "example": example,
        "default": default,
    }


def config_section() -> dict[str, Any]:
    """Return the description of all options."""
    options = _ledger_options() | _alert_options() | _metric_options() | _source_options()
    options |= _pipeline_options()
    return {"dataops": {"description": "Settings of airflow-dataops.", "options": options}}


def _pipeline_options() -> dict[str, Any]:
    return {
        "environment": _option(
            "The environment whose overrides hold in pipelines written in YAML, such as prod; "
            "`load_dags(environment=...)` beats it. Empty for none.",
            "",
            "prod",
            "string",
        ),
    }


def _ledger_options() -> dict[str, Any]:
    ledger = _option(
        "The ledger's database: postgresql://..., sqlite:////path, or conn:my_connection. "
        "Empty for a SQLite file beside Airflow's home.",
        "",
        "conn:dataops_ledger",
        "string",
    )
    return {
        "ledger": ledger | {"sensitive": True},
        "ledger_feed": _option(
            "Whether runs and their tasks are written to the ledger, by the scheduler.",
            "True",
            None,
            "boolean",
        ),
        "ledger_keep_days": _option(
            "So many days the ledger keeps what is over; 0 for ever.", "400", "90", "integer"
        ),
        "ledger_migrate": _option(
            "Whether whoever opens the ledger brings its tables up to date; if not, run "
            "`airflow-dataops ledger migrate` after an upgrade.",
            "True",
            None,
            "boolean",
        ),
    }


def _alert_options() -> dict[str, Any]:
    return {
        "alerts_config": _option(
            "The YAML file that says who is told what, when.",
            "",
            "/opt/airflow/config/alerts.yaml",
            "string",
        ),
        "slas": _option(
            "The YAML file of SLAs for DAGs that nobody edits: the watcher reads it.",
            "",
            "/opt/airflow/config/slas.yaml",
            "string",
        ),
    }


def _metric_options() -> dict[str, Any]:
    sinks = _option(
        "Where metrics go: addresses, separated by commas or spaces. Empty switches them off.",
        "",
        "statsd://localhost:8125, conn:ops_datadog",
        "string",
    )
    return {
        "metrics_sinks": sinks | {"sensitive": True},
        "metrics_allow_tags": _option(
            "Only these tags are sent; empty for all.", "", "dag, task, tier", "string"
        ),
        "metrics_deny_tags": _option("These tags are never sent.", "", "task", "string"),
        "metrics_constant_tags": _option(
            "Tags that every measurement gets.", "", "env=prod, team=data", "string"
        ),
        "metrics_task_events": _option(
            "Whether tasks tell of their start and end as it happens.", "True", None, "boolean"
        ),
        "metrics_max_series": _option(
            "So many series are kept apart in one process; what comes on top is added up under "
            "the name of the metric.",
            "2000",
            None,
            "integer",
        ),
        "metrics_flush_seconds": _option(
            "Longest time that a measurement waits before it is sent.", "1.0", None, "float"
        ),
        "metrics_exit_seconds": _option(
            "Longest time that a process waits at its end until all is sent.", "1.0", None, "float"
        ),
    }


def _source_options() -> dict[str, Any]:
    return {
        "source_check_seconds": _option(
            "Least seconds between two requests of one host for one remote manifest.",
            "30.0",
            None,
            "float",
        ),
        "source_max_age_seconds": _option(
            "So long the last good copy of a remote manifest serves while requests fail.",
            "86400.0",
            None,
            "float",
        ),
        "source_connect_seconds": _option(
            "Longest time until an HTTP connection to a remote manifest stands.",
            "5.0",
            None,
            "float",
        ),
        "source_read_seconds": _option(
            "Longest time between two pieces of an HTTP answer.", "60.0", None, "float"
        ),
        "source_largest_megabytes": _option(
            "Largest remote manifest that is taken.", "256.0", None, "float"
        ),
        "source_hosts": _option(
            "The only hosts that are asked for manifests over HTTP, separated by commas or spaces; "
            "empty for any.",
            "",
            "ci.example.com *.example.net",
            "string",
        ),
        "downloads_megabytes": _option(
            "What all copies of remote manifests on a host may take; the longest unused go.",
            "2048.0",
            None,
            "float",
        ),
    }
