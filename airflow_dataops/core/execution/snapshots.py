"""Builds a snapshot: the history of a query's rows, as dbt keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.identifiers import quote, resolve, resolve_all
from airflow_dataops.core.engines.relations import RelationKind
from airflow_dataops.core.execution.building import building
from airflow_dataops.core.execution.finishing import create_indexes, finish
from airflow_dataops.core.execution.incremental import widen_texts
from airflow_dataops.core.execution.models import build_table, cluster
from airflow_dataops.core.execution.results import Action, BuildResult
from airflow_dataops.core.execution.staged import staged
from airflow_dataops.core.execution.transactions import writes
from airflow_dataops.core.loads.waiting import execute_patiently
from airflow_dataops.core.model import Node, Relation, SnapshotColumns, SnapshotSpec, Struct
from airflow_dataops.core.sql import catalog, snapshots
from airflow_dataops.core.sql.columns import add_column
from airflow_dataops.core.sql.makings import making_of
from airflow_dataops.core.sql.snapshots import History, Incoming, Match
from airflow_dataops.errors import ConfigError, RunError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_dataops.core.execution.turns import Turn
    from airflow_dataops.core.model import Code
    from airflow_dataops.core.ports import SqlRunner
    from airflow_dataops.core.sql.catalog import Column


class _Build(Struct, frozen=True):
    """One build; `source` is the staged query, as SQL."""

    node: Node
    spec: SnapshotSpec
    relation: Relation
    source: str
    columns: tuple[str, ...]
    dialect: str


def build_snapshot(
    node: Node, code: Code, runner: SqlRunner, *, turn: Turn | None = None
) -> BuildResult:
    """Bring a snapshot's history up to date with its query, in one transaction.

    The first run makes the table. Later ones close rows that changed or are gone and add the
    new ones; columns that the query has gained are added to the table, columns it has lost
    stay. A run that finds no change changes nothing, but for rows whose unique key is NULL:
    those begin anew each time, as in dbt.

    `unique_key`, `check_cols` and `updated_at` are columns of the query, in any case and with
    or without quotes; `updated_at` may also be an SQL expression over them.

    Args:
        node: a node with a `SnapshotSpec`.
        code: its compiled SQL.
        runner: an open session.
        turn: who builds, and how long it waits.

    Raises:
        ConfigError: the snapshot, its code or the connection cannot be used.
        RunError: the query or the table lacks a column, or the table is no snapshot.
    """
    spec, sql = _snapshot(node, code)
    with building(node, runner, turn) as (relation, runner):
        existing = catalog.relation_kind(runner, relation)
        if existing is RelationKind.VIEW:
            raise RunError(f"{node.id}: {relation} is a view; drop it, or rename the snapshot.")
        with staged(relation, sql, runner) as (source, columns):
            build = _Build(
                node=node,
                spec=spec,
                relation=relation,
                source=source.sql,
                columns=tuple(column.name for column in columns),
                dialect=runner.dialect,
            )
            rows = _continue(build, runner) if existing else _begin(build, runner)
        if existing is None:
            create_indexes(node, relation, runner)
        finish(node, relation, RelationKind.TABLE, runner, inherits=existing is not None)
    action = Action.UPDATED if existing else Action.CREATED
    return BuildResult(node=node.id, relation=str(relation), action=action, rows=rows)


def _snapshot(node: Node, code: Code) -> tuple[SnapshotSpec, str]:
    spec = node.spec
    if not isinstance(spec, SnapshotSpec):
        raise ConfigError(f"{node.id} is a {node.kind}, not a snapshot.")
    reasons = list(spec.unsupported)
    if spec.strategy not in ("timestamp", "check"):
        reasons.append(f"its strategy {spec.strategy!r}")
    if reasons:
        raise ConfigError(
            f"{node.id}: engine sql cannot build it faithfully, because of "
            f"{', '.join(reasons)}. Let engine dbt run it."
        )
    needed = spec.updated_at if spec.strategy == "timestamp" else spec.check_cols
    if not spec.unique_key or not needed:
        raise ConfigError(
            f"{node.id}: a snapshot needs unique_key and, for strategy timestamp, updated_at or, "
            "for strategy check, check_cols."
        )
    if code.sql is None:
        raise ConfigError(
            f"{node.id}: the manifest has no compiled code. "
            "Write it with `airflow-dataops compile`, or let engine dbt run the snapshot."
        )
    return spec, code.sql


def _begin(build: _Build, runner: SqlRunner) -> int | None:
    query = snapshots.first_rows(_history(build), _incoming(build))
    making = making_of(build.node, build.dialect)
    rows = build_table(build.relation, query, None, runner, making)
    cluster(build.node, build.relation, runner)
    return rows


def _continue(build: _Build, runner: SqlRunner) -> int | None:
    present = tuple(column.name for column in catalog.columns_of(runner, build.relation))
    _require_snapshot(build, present)
    history, incoming = _history(build), _incoming(build)
    match = _match(build, history, present)
    queries = (
        snapshots.ended_rows(history, incoming, match),
        snapshots.begun_rows(history, incoming, match),
    )
    with (
        staged(build.relation, queries[0], runner, what="ended") as (ended, _),
        staged(build.relation, queries[1], runner, what="begun") as (begun, columns),
    ):
        into = _add_columns(build, columns, present, runner)
        with writes(runner):
            closed = runner.execute(snapshots.close_rows(history, ended.sql))
            added = runner.execute(snapshots.add_rows(history, begun.sql, into))
    return closed + added if closed >= 0 and added >= 0 else None


def _history(build: _Build) -> History:
    return History(
        relation=build.relation,
        names=_columns(build),
        hard_deletes=build.spec.hard_deletes,
        valid_to_current=build.spec.valid_to_current,
        dialect=build.dialect,
    )


def _columns(build: _Build) -> SnapshotColumns:
    """Return the names of the columns that the snapshot adds as dbt's, without quotes, end up."""
    written = msgspec.structs.asdict(build.spec.columns)
    folded = get_engine(build.dialect).naming.folded
    return SnapshotColumns(**{field: folded(name) for field, name in written.items()})


def _incoming(build: _Build) -> Incoming:
    return Incoming(
        table=build.source,
        columns=build.columns,
        keys=_keys(build, build.columns, f"the query of {build.node.id}"),
        updated_at=_updated_at(build),
    )


def _match(build: _Build, history: History, present: Sequence[str]) -> Match:
    by_time = build.spec.strategy == "timestamp"
    return Match(
        keys=_keys(build, present, str(build.relation)),
        columns=tuple(resolve(name, present) for name in build.columns),
        changed=snapshots.later(history) if by_time else _check(build, present),
    )


def _check(build: _Build, present: Sequence[str]) -> str:
    checked = build.columns
    if build.spec.check_cols != ("all",):
        checked = resolve_all(
            build.spec.check_cols,
            build.columns,
            what="check_cols",
            where=f"the query of {build.node.id}",
        )
    pairs = []
    for new in checked:
        old = resolve(new, present)
        if old is None:  # a checked column that the table lacks: dbt takes every row as changed
            return "true"
        pairs.append((new, old))
    return snapshots.differs(pairs, build.dialect)


def _keys(build: _Build, columns: Sequence[str], where: str) -> tuple[str, ...]:
    found = resolve_all(build.spec.unique_key, columns, what="unique_key", where=where)
    return tuple(quote(name, build.dialect) for name in found)


def _updated_at(build: _Build) -> str:
    written = build.spec.updated_at
    if written is None:
        return get_engine(build.dialect).models.now
    column = resolve(written, build.columns)
    return f"({written})" if column is None else quote(column, build.dialect)


def _require_snapshot(build: _Build, present: Sequence[str]) -> None:
    names = _columns(build)
    needed = [names.scd_id, names.valid_from, names.valid_to]
    if _history(build).keeps_deletions:
        needed.append(names.is_deleted)
    missing = [name for name in needed if resolve(name, present) is None]
    if missing:
        raise RunError(
            f"{build.node.id}: {build.relation} lacks {', '.join(missing)}, so it is no snapshot "
            "of this kind. Add the columns, set snapshot_meta_column_names to the names it has, "
            "or give the snapshot another name."
        )


def _add_columns(
    build: _Build, columns: Sequence[Column], present: Sequence[str], runner: SqlRunner
) -> list[tuple[str, str]]:
    """Add what the table lacks; return each of the new rows' columns with the one that takes it."""
    into = []
    widen_texts(build.relation, columns, catalog.columns_of(runner, build.relation), runner)
    for column in columns:
        found = resolve(column.name, present)
        if found is None:
            addition = add_column(build.relation, column, runner.dialect)
            execute_patiently(addition, runner, what=str(build.relation))
        into.append((column.name, found or column.name))
    return into
