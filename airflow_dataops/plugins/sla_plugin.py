"""The Airflow plugin that lets the scheduler evaluate the deadlines of SLAs."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from airflow_dataops.slas.references import SlaDue


class SlaPlugin(AirflowPlugin):
    """Registers `SlaDue`, which Airflow looks up by its path when it makes a run."""

    name = "dataops_slas"
    deadline_references = [SlaDue]
