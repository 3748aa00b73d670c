"""The SLA file, on the DAGs that a DAG file makes."""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from airflow.sdk import get_parsing_context

from airflow_dataops.core.sla.rules import read_rules
from airflow_dataops.errors import ConfigError
from airflow_dataops.slas.dag_slas import put_slas
from airflow_dataops.slas.subjects import members_of

if TYPE_CHECKING:
    from airflow.sdk import DAG

    from airflow_dataops.core.sla.rules import Rules

log = logging.getLogger(__name__)


def read_sla_file(path: str | Path) -> Rules:
    """Read an SLA file; one that did not change since is not read again.

    Raises:
        ConfigError: it cannot be read, or is wrong; tells all mistakes at once.
    """
    file = Path(path)
    try:
        return _read(str(file), file.stat().st_mtime_ns)
    except OSError as error:
        raise ConfigError(f"The SLA file {file} cannot be read: {error.strerror}.") from None


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


@lru_cache(maxsize=8)
def _read(path: str, _changed: int) -> Rules:
    return read_rules(Path(path).read_bytes(), path)
