"""What of a build changes rows in a transaction of its own."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from airflow_dataops.core.engines import get_engine

if TYPE_CHECKING:
    from airflow_dataops.core.ports import SqlRunner


def writes(runner: SqlRunner) -> AbstractContextManager[None]:
    """Open a transaction around statements that change rows, unless all of a build is one."""
    whole = get_engine(runner.dialect).loads.transactional_ddl
    return nullcontext() if whole else runner.transaction()
