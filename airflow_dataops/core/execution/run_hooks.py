"""Runs `on-run-start` and `on-run-end`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.execution.building import check_database, ensure_schema
from airflow_dataops.core.execution.explained import Place
from airflow_dataops.core.execution.failing import explaining

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_dataops.core.model import Node
    from airflow_dataops.core.ports import SqlRunner

_WRITTEN_IN = "dbt_project.yml"


def make_places(nodes: Iterable[Node], runner: SqlRunner) -> None:
    """Make the schemas of what a run is going to build, as dbt does before its first hook.

    Raises:
        ConfigError: the session does not know a node's database.
    """
    places = {(n.relation.database, n.relation.schema): n for n in nodes if n.relation}
    for node in places.values():
        if node.relation is not None:
            check_database(node, node.relation, runner)
            ensure_schema(node.relation, runner)


def run_hooks(hooks: Iterable[tuple[str, str]], runner: SqlRunner) -> None:
    """Run hooks, each by its id and its SQL, until one fails.

    Raises:
        RunError: running it again would end the same.
        RetryableError: it may not.
    """
    for id_, sql in hooks:
        if sql.strip():
            with explaining(runner, Place(name=id_, path=_WRITTEN_IN, code=sql)):
                runner.execute(sql)
