"""Whose a query is: told by its labels or its tag, or by the comment that dbt puts in it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from airflow_dataops.core.model import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

# Under which names each is told: ours, those of Airflow's Google provider, dbt's.
MODEL = ("dataops_model", "airflow_model", "dbt_node_id", "node_id", "model")
DAG = ("dataops_dag", "airflow-dag", "airflow_dag", "dag_id", "dag")
TASK = ("dataops_task", "airflow-task", "airflow_task", "task_id", "task")
RUN = ("dataops_run", "airflow_run", "run_id", "run")
OWNER = ("dataops_owner", "airflow_owner", "owner", "team")
# dbt's query comment: one JSON object; it holds no braces of its own.
_COMMENT = re.compile(r"/\*\s*(\{[^{}]*\})\s*\*/")
# https://google.github.io/sqlcommenter/spec: pairs, values percent-encoded.
_SQLCOMMENTER = re.compile(r"/\*(?:\w+='[^'*]*',?)+\*/")
_PAIR = re.compile(r"(\w+)='([^']*)'")


class Whose(Struct, frozen=True):
    """What a query was run for; None where nothing tells."""

    model: str | None = None
    dag_id: str | None = None
    task_id: str | None = None
    owner: str | None = None
    run_id: str | None = None

    @property
    def known(self) -> bool:
        """Whether anything tells."""
        return any((self.model, self.dag_id, self.task_id, self.owner))


def whose(labels: Mapping[str, str], query: str) -> Whose:
    """Read whose a query is from its labels (or tag), and then from its comment."""
    told = {**_comment(query), **{key.lower(): value for key, value in labels.items()}}

    def first(names: tuple[str, ...]) -> str | None:
        return next((told[name] for name in names if told.get(name)), None)

    return Whose(
        model=first(MODEL),
        dag_id=first(DAG),
        task_id=first(TASK),
        owner=first(OWNER),
        run_id=first(RUN),
    )


def _comment(query: str) -> dict[str, str]:
    found = _COMMENT.search(query)
    if found is None:
        pairs = _SQLCOMMENTER.search(query)
        return {k: unquote(v) for k, v in _PAIR.findall(pairs[0])} if pairs else {}
    try:
        data = json.loads(found[1])
    except ValueError:
        return {}
    return {str(key).lower(): str(value) for key, value in data.items() if value is not None}
