"""The page of circuit breakers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from airflow.serialization.serialized_objects import DagSerialization

from airflow_dataops.core.breaker import BreakerOpenError
from tests.docs.blocks import block

if TYPE_CHECKING:
    from tests.docs.running import Desk

PAGE = block("docs/breaker.md", 1)


def test_the_tasks_of_the_page_share_a_breaker(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__DATAOPS__LEDGER", f"sqlite:///{desk.folder}/ledger.db")
    [dag] = desk.dags(PAGE).values()
    kept = json.dumps(DagSerialization.to_dict(dag), sort_keys=True)
    [again] = desk.dags(PAGE).values()
    assert json.dumps(DagSerialization.to_dict(again), sort_keys=True) == kept
    query, rates, gate = (dag.get_task(name) for name in ("query", "rates", "gate"))
    assert rates.python_callable() == 42
    for n in range(5):
        assert gate.poke({})
        query._pre_execute_hook({})
        query.retry_policy.evaluate(ConnectionError("refused"), n + 1, 10)
    with pytest.raises(BreakerOpenError):
        rates.python_callable()
    with pytest.raises(BreakerOpenError):
        query._pre_execute_hook({})
    assert not gate.poke({})
