"""The SLA file, on the DAGs that a DAG file makes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow.sdk import get_parsing_context

from airflow_dataops.hooks.sla_files import read_sla_file
from airflow_dataops.slas.dag_slas import put_slas
from airflow_dataops.slas.subjects import members_of

if TYPE_CHECKING:
    from pathlib import Path

    from airflow.sdk import DAG

log = logging.getLogger(__name__)


def put_rules(dag: DAG, path: str | Path) -> None:
    """Give a DAG what the SLA file says of it, of its tasks and its groups.

    Args:
        path: absolute.

    Raises:
        ConfigError: the file is wrong, or a subject has another SLA of the same name.
    """
    if get_parsing_context().dag_id is not None:
        return
    rules = read_sla_file(path)
    if not rules.takes(dag.dag_id):
        return
    groups = {id_: group for id_, group in dag.task_group_dict.items() if id_}
    members = {id_: members_of(group) for id_, group in groups.items()}
    found = rules.of_dag(dag.dag_id, dag.task_dict, members)
    for idle in rules.idle(dag.dag_id, found):
        log.warning("%s: DAG %s has no %s: nothing is watched there", path, dag.dag_id, idle)
    put_slas(dag, found)
