"""A database that the session does not know: one error for all that runs."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_dataops.core.execution.parts import run_part
from airflow_dataops.core.execution.requests import RunRequest
from airflow_dataops.core.model import (
    Code,
    FreshnessSpec,
    ModelSpec,
    NodeKind,
    Relation,
    SourceSpec,
    TestSpec,
)
from airflow_dataops.core.plan import TaskKind
from airflow_dataops.errors import ConfigError
from tests.duckdb_runner import open_duckdb
from tests.unit.execution.nodes import node

ELSEWHERE = Relation(database="dev", schema="main", identifier="t")
SOURCE = SourceSpec(
    source="raw", freshness=FreshnessSpec(warn_after_minutes=1, loaded_at_field="d")
)
READS = Code(sql='select 1 as x from "dev"."main"."t"')


@pytest.mark.parametrize(
    ("task", "spec", "kind"),
    [
        (TaskKind.BUILD, ModelSpec(materialized="table"), NodeKind.MODEL),
        (TaskKind.TEST, TestSpec(), NodeKind.TEST),
        (TaskKind.FRESHNESS, SOURCE, NodeKind.SOURCE),
    ],
    ids=["build", "test", "freshness"],
)
def test_an_unknown_database_is_named(task: TaskKind, spec: Any, kind: NodeKind) -> None:
    found = node(spec, relation=ELSEWHERE, kind=kind)
    with open_duckdb() as runner:
        try:
            said = run_part(task, [(found, READS)], runner, RunRequest()).failure or ""
        except ConfigError as error:
            said = str(error)
    assert "compiled for database 'dev', but the connection opens 'memory'" in said
