"""What every build has around it: a database that fits, a schema, hooks and one transaction."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from airflow_dataops.core.engines import get_engine, relations
from airflow_dataops.core.engines.identifiers import quote, unquote
from airflow_dataops.core.execution.turns import Turn, fenced, in_turn
from airflow_dataops.core.loads.making import make_once
from airflow_dataops.core.model import ModelSpec, SeedSpec, SnapshotSpec
from airflow_dataops.core.sql import catalog
from airflow_dataops.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from airflow_dataops.core.model import Hook, Node, Relation
    from airflow_dataops.core.ports import SqlRunner


@contextmanager
def building(
    node: Node,
    runner: SqlRunner,
    turn: Turn | None = None,
    *,
    last: Sequence[Callable[[], object]] = (),
) -> Iterator[tuple[Relation, SqlRunner]]:
    """Open the transaction in which a model, seed or snapshot is built.

    Gives its relation and the session to build it in.

    Where DDL cannot be part of a transaction there is none around the whole build. Nobody else
    builds the relation meanwhile; see `turns`.

    The node's hooks run where dbt runs them: those outside the transaction, then those
    inside, around the block. The schema is made first and by itself, since a hook outside
    may need it.

    Args:
        last: what is done after the hooks, in the transaction; the block may add to it.

    Raises:
        ConfigError: the node is not built into a relation, or the session does not know the
            relation's database.
        RetryableError: another session built it for too long.
    """
    spec, relation = _built(node)
    check_database(node, relation, runner)
    ensure_schema(relation, runner)
    turn = turn or Turn()
    with ExitStack() as computed, ExitStack() as held:
        computed.enter_context(_computing(node, runner))
        _run_hooks(spec.pre_hooks, runner, transaction=False)
        within = runner
        if _adds_rows(spec):
            within = held.enter_context(fenced(relation, runner, turn))
        held.enter_context(in_turn(relation, within, turn))
        _run_hooks(spec.pre_hooks, runner, transaction=True)
        yield relation, within
        _run_hooks(spec.post_hooks, runner, transaction=True)
        for step in last:
            step()
        held.close()
        _run_hooks(spec.post_hooks, runner, transaction=False)


@contextmanager
def _computing(node: Node, runner: SqlRunner) -> Iterator[None]:
    """Work on the compute that the node names, where an engine has several to choose from."""
    wanted = node.config.get("snowflake_warehouse")
    engine = get_engine(runner.dialect)
    models = engine.models
    if models.use_warehouse is None or not wanted:
        yield
        return
    [(before,)] = runner.fetch(f"select {models.current_warehouse}")
    name = unquote(wanted) if unquote(wanted) != wanted else engine.naming.folded(wanted)
    runner.execute(models.use_warehouse.format(quote(name, runner.dialect)))
    try:
        yield
    finally:
        if before:
            runner.execute(models.use_warehouse.format(quote(str(before), runner.dialect)))


def check_database(node: Node, relation: Relation, runner: SqlRunner) -> None:
    """Refuse to run where the database that the manifest was compiled for is unknown.

    Raises:
        ConfigError: says which database the connection opens and the three ways to mend it.
    """
    compiled = relation.database
    if compiled is None or catalog.database_exists(runner, compiled):
        return
    opened = catalog.current_database(runner)
    raise ConfigError(
        f"{node.id}: the manifest was compiled for database {compiled!r}, "
        f"but the connection opens {opened!r}. Compile it for {opened!r}, point the connection "
        f"at {compiled!r} (a DuckDB file of that name), or set the connection's extra "
        f'{{"database": "{compiled}"}}.'
    )


def ensure_schema(relation: Relation, runner: SqlRunner) -> None:
    """Make the relation's schema unless it exists; others may be doing the same.

    Raises:
        RetryableError: another session is making it and does not come to an end.
    """
    if relation.schema is None:
        return
    create = relations.create_schema(relation, runner.dialect)
    make_once(create, runner, lambda: catalog.schema_exists(runner, relation), relation.schema)


def _built(node: Node) -> tuple[ModelSpec | SeedSpec | SnapshotSpec, Relation]:
    if not isinstance(node.spec, ModelSpec | SeedSpec | SnapshotSpec):
        raise ConfigError(
            f"{node.id} is a {node.kind}; only models, seeds and snapshots are built."
        )
    if node.relation is None:
        raise ConfigError(f"{node.id} has no relation in the manifest; compile the project again.")
    return node.spec, node.relation


def _adds_rows(spec: ModelSpec | SeedSpec | SnapshotSpec) -> bool:
    if isinstance(spec, ModelSpec):
        return spec.materialized == "incremental"
    return isinstance(spec, SnapshotSpec)


def _run_hooks(hooks: Iterable[Hook], runner: SqlRunner, *, transaction: bool) -> None:
    for hook in hooks:
        if hook.transaction is transaction and hook.sql.strip():
            runner.execute(hook.sql)
