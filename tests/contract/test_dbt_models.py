"""The oracle for models: dbt and engine `sql` build the same models three times over.

Each build of each model must end alike, in success or in failure, and leave the same columns,
types, order of columns, rows and kind of relation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import pytest

from airflow_dataops.core.execution.models import build_model
from airflow_dataops.core.model import Code
from airflow_dataops.errors import DataOpsError
from tests.contract.model_cases import CASES
from tests.oracle.recording import WAYS, recording
from tests.unit.execution.side_by_side import SideBySide

if TYPE_CHECKING:
    from airflow_dataops.core.model import Manifest
    from airflow_dataops.core.ports import SqlRunner

BUILDS = 3
COLUMNS = """(
    select table_name, list(column_name || ' ' || data_type order by ordinal_position)
    from system.information_schema.columns group by all
)"""
ROWS = "({})".format(
    " union all ".join(
        f"select '{name}', coalesce(list(row::text order by row::text), []) from main.{name} as row"
        for name in CASES
    )
)
KINDS = "(select table_name, table_type from system.information_schema.tables)"


@dataclass(frozen=True)
class Outcome:
    """What one build of one model came to."""

    succeeded: bool
    columns: list[str]
    rows: list[str]
    kind: str


@pytest.fixture(scope="module", params=WAYS)
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> list[dict[str, tuple[Outcome, Outcome]]]:
    """Build everything in both; for each build, dbt's outcome and ours by model."""
    with recording(request, "models") as recorded:
        pair = SideBySide(tmp_path_factory.mktemp("models"), {}, recorded)
        return [build_all(pair, build) for build in range(BUILDS)]


def build_all(pair: SideBySide, build: int) -> dict[str, tuple[Outcome, Outcome]]:
    for name, case in CASES.items():
        path = pair.project / "models" / f"{name}.sql"
        path.parent.mkdir(exist_ok=True)
        path.write_text(case.model(build))
    verdicts = pair.dbt("run")
    theirs = {name: verdicts[f"model.pair.{name}"].status == "success" for name in CASES}
    manifest = pair.manifest()
    ours = pair.ours(lambda runner: {name: succeeds(manifest, name, runner) for name in CASES})
    contents = zip(*(pair.tables(query) for query in (COLUMNS, ROWS, KINDS)), strict=True)
    dbt, sql = (
        outcomes_of(done, *(dict(table.rows) for table in tables))
        for done, tables in zip((theirs, ours), contents, strict=True)
    )
    return {name: (dbt[name], sql[name]) for name in CASES}


def outcomes_of(
    done: dict[str, bool],
    columns: dict[str, list[str]],
    rows: dict[str, list[str]],
    kinds: dict[str, str],
) -> dict[str, Outcome]:
    return {
        name: Outcome(done[name], columns=columns[name], rows=rows[name], kind=kinds[name])
        for name in CASES
    }


def succeeds(manifest: Manifest, name: str, runner: SqlRunner) -> bool:
    node = manifest.project.nodes[f"model.pair.{name}"]
    sql = manifest.code[node.id].sql
    try:
        build_model(node, Code(sql=sql, incremental_sql=sql), runner)
    except (DataOpsError, duckdb.Error):
        return False
    return True


@pytest.mark.sample(3)
@pytest.mark.parametrize("name", CASES)
def test_dbt_and_engine_sql_leave_the_same(
    outcomes: list[dict[str, tuple[Outcome, Outcome]]], name: str
) -> None:
    for build in range(BUILDS):
        dbt, sql = outcomes[build][name]
        assert sql == dbt, f"build {build + 1}"


def test_the_cases_try_both_success_and_failure(
    outcomes: list[dict[str, tuple[Outcome, Outcome]]],
) -> None:
    """Guards the comparison itself: if nothing were built, everything would be equal."""
    assert all(dbt.succeeded and dbt.rows for dbt, _ in outcomes[0].values())
    failures = [name for name, (dbt, _) in outcomes[1].items() if not dbt.succeeded]
    assert len(failures) > 40
    assert len(CASES) - len(failures) > 90
