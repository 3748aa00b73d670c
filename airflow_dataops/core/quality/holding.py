"""Hold a staged batch to its contract, before anything else sees it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from uuid import uuid4

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.identifiers import derived
from airflow_dataops.core.engines.relations import RelationKind, rename
from airflow_dataops.core.engines.statements import ask
from airflow_dataops.core.loads.stage import drop_staging
from airflow_dataops.core.quality.conform import conform
from airflow_dataops.core.sql import quality, staging
from airflow_dataops.core.sql.tables import read_table
from airflow_dataops.errors import RunError

if TYPE_CHECKING:
    from airflow_dataops.core.model import Relation
    from airflow_dataops.core.ports import SqlRunner
    from airflow_dataops.core.quality.conform import Conformed
    from airflow_dataops.core.quality.contract import Contract


log = logging.getLogger(__name__)


def hold_to_contract(contract: Contract, staged: Relation, runner: SqlRunner) -> int:
    """Leave in a staged table what its contract lets through; return the number of rows.

    Raises:
        RunError: the batch is refused; the staged table is dropped.
    """
    table = read_table(runner, staged)
    if table is None:
        raise RunError(f"{contract.name}: there is no staged table {staged}.")
    taken = conform(contract, table.columns, runner.dialect)
    if taken.problems:
        drop_staging(staged, runner)
        raise RunError(
            f"{contract.name}: the batch does not keep its contract, and nothing was written. "
            f"{'; '.join(taken.problems)}."
        )
    [(before,)] = ask(staging.facts(table.sql, ()), runner)
    if not taken.is_whole:
        query = quality.conforming(
            table.sql, taken.kept, taken.emptied, taken.valueless, taken.valued, runner.dialect
        )
        name = derived(staged.identifier, f"_{uuid4().hex[:8]}", runner.dialect)
        engine = get_engine(runner.dialect)
        whole = staging.staging_table(staged, name, engine, session=False)
        runner.execute(staging.create_as(whole, query, runner.dialect))
        drop_staging(staged, runner)
        runner.execute(rename(whole, staged.identifier, RelationKind.TABLE, runner.dialect))
    [(rows,)] = ask(staging.facts(table.sql, ()), runner)
    _say(contract, taken, int(before) - int(rows))
    return int(rows)


def _say(contract: Contract, taken: Conformed, fewer: int) -> None:
    """Tell what was left out: nothing goes without a word."""
    if fewer:
        log.warning("%s: %d rows that do not keep the contract are left out", contract.name, fewer)
    if taken.dropped:
        log.warning("%s: columns left out: %s", contract.name, ", ".join(taken.dropped))
    if taken.emptied:
        names = ", ".join(name for name, _ in taken.emptied)
        log.warning("%s: columns without values: %s", contract.name, names)
