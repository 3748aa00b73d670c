"""What the tests of loads share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_dataops.core.loads.run import run_load
from airflow_dataops.core.loads.specs import Attempt, Load

if TYPE_CHECKING:
    from airflow_dataops.core.loads.sources import Source
    from airflow_dataops.core.loads.specs import LoadResult, Verb
    from airflow_dataops.core.model import Relation
    from tests.warehouses import Warehouse


def load(
    warehouse: Warehouse, target: Relation, verb: Verb, source: Source, **settings: Any
) -> LoadResult:
    """Run a load as its first try."""
    attempt = settings.pop("attempt", None) or Attempt(owner="shop.orders", run_id="monday")
    return run_load(
        Load(target=target, verb=verb, attempt=attempt, **settings), source, warehouse.runner
    )
