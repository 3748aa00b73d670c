"""The warehouses that the suites of loads run on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.warehouses import ENGINES, open_warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.warehouses import Warehouse


@pytest.fixture(params=sorted(ENGINES))
def warehouse(request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    """A warehouse of each engine, with a schema of the test's own."""
    gap = ENGINES[request.param].gaps.get(request.node.originalname)
    if gap:
        pytest.skip(f"{request.param}: {gap}")
    with open_warehouse(request.param) as opened:
        yield opened
