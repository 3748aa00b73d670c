"""The warehouses that the suites of loads run on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import accounts
from tests.warehouses import EMULATED, ENGINES, open_warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.warehouses import Warehouse


_QUICK_ON_EMULATORS = {
    "test_the_partition_is_replaced_and_no_other_row",
    "test_a_range_is_half_open",
    "test_nr_13_deleted_and_inserted_rows_are_told_by_one_conversion",
}
"""What runs on emulators each time, of `test_loads_partition`; all else is slow there."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not isinstance(item, pytest.Function):
            continue
        engine = getattr(item, "callspec", None) and item.callspec.params.get("warehouse")
        if engine in EMULATED:
            item.add_marker(accounts.MARKER)
        if engine in EMULATED and item.originalname not in _QUICK_ON_EMULATORS:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(params=sorted(ENGINES))
def warehouse(request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    """A warehouse of each engine, with a schema of the test's own."""
    gaps = ENGINES[request.param].gaps
    if gap := accounts.gap(gaps, request.node.originalname, request.node.name):
        pytest.skip(f"{request.param}: {gap}")
    with open_warehouse(request.param) as opened:
        yield opened
