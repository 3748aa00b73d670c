"""The SQL that each verb emits, as files to review: `tests/unit/sql/expected`.

`python -m tests.contract.emitted` writes them anew (followed by engines: theirs alone). Names
that are new in each load are numbered; what only looks something up or waits is left out.
"""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.engines import engine_names, get_engine
from airflow_dataops.core.loads.specs import Attempt
from tests.contract.scenarios import SCENARIOS
from tests.warehouses import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_dataops.core.ports import SqlRunner

EXPECTED = Path(__file__).parents[1] / "unit" / "sql" / "expected"
REVIEWED = engine_names()
"""The engines whose SQL was reviewed."""
_LOOKUPS = (
    "pg_class",
    "pg_table_size",
    "pg_index",
    "duckdb_",
    "information_schema",
    "INFORMATION_SCHEMA",
)
_WAITS = ("lock_timeout", "dataops_wait")
"""What bounds the waiting for locks, by the time that is left."""
_FRESH = (
    (re.compile(r"target__stg_[0-9a-f]{8}_[0-9a-f]{8}"), "target__stg_{}"),
    (re.compile(r"dataops_[0-9a-f]{24}"), "dataops_{}"),
)


class Recorder:
    """Notes what is sent to a runner."""

    def __init__(self, runner: SqlRunner) -> None:
        self._runner = runner
        self.dialect = runner.dialect
        self.placeholder = runner.placeholder
        self.told: list[str] = []

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        self.told.append(sql)
        return self._runner.execute(sql, parameters)

    def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        self.told.append(sql)
        return self._runner.fetch(sql, parameters)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.told.append("begin")
        with self._runner.transaction():
            yield
        self.told.append("commit")


def emitted(engine: str, scenario: str) -> str:
    """Run a scenario; return the statements it sent."""
    with open_warehouse(engine) as warehouse:
        SCENARIOS[scenario].set_up(warehouse)
        # The first load makes the control tables; the second one is the usual one.
        SCENARIOS[scenario].run(warehouse.runner, warehouse.schema, Attempt(owner="a", run_id="1"))
        for table in ("target", "source"):
            name = warehouse.sql(warehouse.relation(table))
            warehouse.runner.execute(f"drop table {name}")
        SCENARIOS[scenario].set_up(warehouse)
        recorder = Recorder(warehouse.runner)
        SCENARIOS[scenario].run(recorder, warehouse.schema, Attempt(owner="a", run_id="2"))
        return _numbered("\n".join(_shown(recorder.told)).replace(warehouse.schema, "shop"))


def scenarios_of(engine: str) -> tuple[str, ...]:
    """Return the scenarios that an engine can show: all, but for what it refuses."""
    json = get_engine(engine).loads.json_field is not None
    return tuple(name for name in sorted(SCENARIOS) if json or name != "changes_debezium")


def path_of(engine: str, scenario: str) -> Path:
    """Return where the SQL of a scenario is kept."""
    return EXPECTED / f"{scenario}.{engine}.sql"


def _shown(told: Sequence[str]) -> Iterator[str]:
    for block in _transactions(told):
        publishes = any("dataops_leases" in sql and "fences" in sql for sql in block[1:])
        for sql in block:
            if any(name in sql for name in _LOOKUPS):
                continue
            if not publishes and (sql in ("begin", "commit") or "dataops_leases" in sql):
                continue
            yield f"{sql};\n"


def _transactions(told: Sequence[str]) -> Iterator[list[str]]:
    """Yield what is sent between a begin and its commit together, all else by itself."""
    block: list[str] = []
    for sql in told:
        if any(name in sql for name in _WAITS):
            continue
        block.append(sql)
        if block[0] != "begin" or sql == "commit":
            yield block
            block = []
    yield block


def _numbered(text: str) -> str:
    for pattern, name in _FRESH:
        found = list(dict.fromkeys(pattern.findall(text)))
        for number, fresh in enumerate(found, 1):
            text = text.replace(fresh, name.format(number))
    return text


def write(engines: Sequence[str]) -> None:
    """Write the files of some engines anew."""
    EXPECTED.mkdir(exist_ok=True)
    for engine in engines:
        for scenario in scenarios_of(engine):
            path_of(engine, scenario).write_text(emitted(engine, scenario))


if __name__ == "__main__":
    write(sys.argv[1:] or REVIEWED)
