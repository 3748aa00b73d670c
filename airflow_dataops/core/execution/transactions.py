"""What of a build is one transaction."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from airflow_dataops.core.sql.dialects.loadings import get_loading

if TYPE_CHECKING:
    from airflow_dataops.core.ports import SqlRunner


def whole_build(runner: SqlRunner) -> AbstractContextManager[None]:
    """Open a transaction around all of a build, where DDL can be part of one."""
    return runner.transaction() if _transactional_ddl(runner) else nullcontext()


def writes(runner: SqlRunner) -> AbstractContextManager[None]:
    """Open a transaction around statements that change rows, unless all of a build is one."""
    return nullcontext() if _transactional_ddl(runner) else runner.transaction()


def _transactional_ddl(runner: SqlRunner) -> bool:
    return get_loading(runner.dialect).transactional_ddl
