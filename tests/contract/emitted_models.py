"""The SQL that each of dbt's materializations emits, as one file to review for each engine.

`python -m tests.contract.emitted_models redshift` writes it anew. It is for engines that no dbt of
ours can build on: elsewhere the tables that dbt builds are what we are compared with.
"""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow_dataops.core.execution.build import build
from airflow_dataops.core.execution.freshness import check_freshness
from airflow_dataops.core.execution.tests import run_test
from airflow_dataops.core.model import (
    Code,
    FreshnessSpec,
    HardDeletes,
    Incremental,
    ModelSpec,
    Node,
    NodeKind,
    SeedSpec,
    SnapshotSpec,
    SourceSpec,
    TestSpec,
)
from tests.contract.emitted import EXPECTED, Recorder
from tests.warehouses import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from airflow_dataops.core.model import Spec
    from airflow_dataops.core.ports import SqlRunner
    from tests.warehouses import Warehouse

REVIEWED = ("redshift",)
_OLD = "select 1 as id, 'a' as name, 10 as n"
_NEW = "select 1 as id, 'b' as name, 20 as n"
_SEEDS = ("id,name,at\n1,a,2026-01-31\n", "id,name,at\n2,bb,\n")
_FRESH = ((re.compile(r"[0-9a-f]{8,}"), "{}"), (re.compile(r"__dbt_tmp_?\w*"), "__dbt_tmp"))
_LOOKUPS = ("pg_attribute", "pg_namespace", "current_schema()", "current_database()")


def emitted_models(engine: str) -> str:
    """Build nodes of every kind, each over what it built before; return what is sent then."""
    with open_warehouse(engine) as warehouse:
        told = "\n".join(_sections(warehouse))
        return told.replace(warehouse.schema, "shop")


def path_of(engine: str) -> Path:
    """Return where that is kept."""
    return EXPECTED / f"models.{engine}.dbt"


def _sections(warehouse: Warehouse) -> Iterator[str]:
    for name, spec in _SPECS.items():
        kind = _KINDS.get(type(spec), NodeKind.MODEL)
        node = Node(
            id=f"{kind}.shop.{name}",
            kind=kind,
            name=name,
            package="shop",
            spec=spec,
            relation=warehouse.relation(name),
        )
        _run(node, 0, warehouse.runner)
        recorder = Recorder(warehouse.runner)
        _run(node, 1, recorder)
        yield f"-- {name.replace('_', ' ')}, again\n\n{_shown(recorder.told)}"
    for name, query in (("view", _OLD), ("table", _NEW)):
        recorder = Recorder(warehouse.runner)
        spec = ModelSpec(materialized=name)
        relation = warehouse.relation("table" if name == "view" else "view")
        node = Node(
            id="model.shop.other",
            kind=NodeKind.MODEL,
            name="other",
            package="shop",
            spec=spec,
            relation=relation,
        )
        build(node, Code(sql=query), recorder)
        yield f"-- {name} in place of a {relation.identifier}\n\n{_shown(recorder.told)}"


def _run(node: Node, time: int, runner: SqlRunner) -> None:
    match node.spec:
        case TestSpec():
            run_test(node, Code(sql=_OLD), runner)
        case SourceSpec():
            if time == 0:
                runner.execute(f'create table "{node.relation.schema}"."source" (at timestamp)')
            check_freshness(node, runner, now=datetime.now(UTC))
        case SeedSpec():
            build(
                node, Code(csv=("id,name,at\n1,a,2026-01-31\n", "id,name,at\n2,b,\n")[time]), runner
            )
        case _:
            sql = (_OLD, _NEW)[time]
            build(node, Code(sql=sql, incremental_sql=sql), runner)


def _shown(told: Sequence[str]) -> str:
    kept = [sql for sql in told if not any(lookup in sql for lookup in _LOOKUPS)]
    text = "".join(f"{sql};\n\n" for sql in kept)
    for pattern, name in _FRESH:
        text = pattern.sub(name, text)
    return text


def _incremental(strategy: str, **settings: object) -> ModelSpec:
    return ModelSpec(
        materialized="incremental",
        incremental=Incremental(strategy=strategy, **settings),  # type: ignore[arg-type]
    )


_KEY = ("id",)
_PREDICATE = ("DBT_INTERNAL_DEST.n > 5",)
_SPECS: dict[str, Spec] = {
    "table": ModelSpec(materialized="table"),
    "view": ModelSpec(materialized="view"),
    "append": _incremental("append"),
    "delete_insert": _incremental("delete+insert", unique_key=_KEY, predicates=_PREDICATE),
    "merge": _incremental("merge", unique_key=_KEY, predicates=_PREDICATE),
    "merge_without_keys": _incremental("merge"),
    "seed": SeedSpec(file="seeds/seed.csv"),
    "snapshot": SnapshotSpec(
        strategy="check", unique_key=_KEY, check_cols=("all",), hard_deletes=HardDeletes.NEW_RECORD
    ),
    "test": TestSpec(),
    "source": SourceSpec(
        source="raw", freshness=FreshnessSpec(warn_after_minutes=60, loaded_at_field="at")
    ),
}
_KINDS = {
    SeedSpec: NodeKind.SEED,
    SnapshotSpec: NodeKind.SNAPSHOT,
    TestSpec: NodeKind.TEST,
    SourceSpec: NodeKind.SOURCE,
}


if __name__ == "__main__":
    for asked in sys.argv[1:] or REVIEWED:
        path_of(asked).write_text(emitted_models(asked))
