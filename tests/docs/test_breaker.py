"""The page of circuit breakers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_dataops.core.breaker import BreakerOpenError
from tests.docs.blocks import block

if TYPE_CHECKING:
    from tests.docs.running import Desk

PAGE = block("docs/breaker.md", 1)


def test_the_tasks_of_the_page_share_a_breaker(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__DATAOPS__LEDGER", f"sqlite:///{desk.folder}/ledger.db")
    [dag] = desk.dags(PAGE).values()
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
