"""A thousand tables of one warehouse, beside one hook call for each check."""

from __future__ import annotations

import pytest

from benchmarks.health import measure
from tests.postgres import postgres_uri


@pytest.mark.slow
def test_a_thousand_tables_take_a_twentieth_of_the_queries_and_of_the_time() -> None:
    found = measure(postgres_uri(), 1000)
    assert found["times_fewer_statements"] >= 20, found
    assert found["times_faster"] >= 20, found
