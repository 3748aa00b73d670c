"""The metrics listener's entry point: costs nothing where no sink is configured."""

from __future__ import annotations

import os
from typing import Any

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

from airflow_dataops.plugins.section import CONNECTION_VARIABLE, SECTION


def _listeners() -> list[Any]:
    if not conf.get(SECTION, "metrics_sinks", fallback="") and not os.environ.get(
        CONNECTION_VARIABLE
    ):
        return []
    from airflow_dataops.plugins.listener import make_listeners

    return make_listeners()


class MetricsPlugin(AirflowPlugin):
    """Sends what happens in Airflow to the sinks of `[dataops] metrics_sinks`."""

    name = "dataops_metrics"
    listeners = _listeners()
