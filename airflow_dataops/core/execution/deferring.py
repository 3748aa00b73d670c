"""Reading what is not built here from where an earlier run built it: dbt's `--defer`.

dbt decides when it renders a reference: it leads to the relation of the earlier state where the
node was not selected (with `--favor-state`), or where its own relation does not exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from airflow_dataops.core.model import ModelSpec, NodeKind, Relation, SeedSpec, SnapshotSpec, Struct
from airflow_dataops.core.sql import catalog
from airflow_dataops.core.sql.references import mentions, move_references
from airflow_dataops.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from airflow_dataops.core.model import Code, Hook, Node
    from airflow_dataops.core.ports import SqlRunner

_REFERABLE = frozenset({NodeKind.MODEL, NodeKind.SEED, NodeKind.SNAPSHOT})


class Reference(Struct, frozen=True):
    """What a node reads that an earlier run has built elsewhere.

    Attributes:
        here: the relation that its compiled SQL names.
        there: the one of the earlier state.
        always: whether `there` is read even if `here` exists.
    """

    id: str
    here: Relation
    there: Relation
    always: bool = False


def is_referable(node: Node) -> bool:
    """Tell whether references to a node can lead elsewhere: it has a relation of its own."""
    return node.kind in _REFERABLE and node.relation is not None and not _is_ephemeral(node)


def read_by(node: Node, lookup: Callable[[str], Node]) -> list[Node]:
    """Return what a node's compiled SQL reads, through ephemeral models; sources are not deferred.

    Args:
        lookup: returns a node by its id.
    """
    found: dict[str, Node] = {}
    waiting, seen = list(node.parents), {node.id}
    while waiting:
        id_ = waiting.pop()
        if id_ in seen:
            continue
        seen.add(id_)
        parent = lookup(id_)
        if _is_ephemeral(parent):
            waiting += parent.parents
        elif is_referable(parent):
            found[id_] = parent
    return [found[id_] for id_ in sorted(found)]


def moves_for(references: list[Reference], runner: SqlRunner) -> dict[str, Reference]:
    """Return which references lead to the earlier state now, by node id."""
    return {each.id: each for each in references if each.always or not _exists(each.here, runner)}


def deferred(
    node: Node, code: Code, moves: Mapping[str, Reference], dialect: str
) -> tuple[Node, Code]:
    """Return a node and its code with references that lead to the earlier state.

    Raises:
        RunError: a reference cannot be found in its SQL, or not told from something else.
    """
    relations = {each.here: each.there for each in moves.values()}
    if not relations:
        return node, code
    found: set[Relation] = set()

    def moved(sql: str | None) -> str | None:
        if not sql:
            return sql
        try:
            result = move_references(sql, relations, dialect)
        except RunError as error:
            raise RunError(f"{node.id}: defer: {error}") from None
        found.update(result.found, (each for each in relations if mentions(sql, each)))
        return result.sql

    code = replace(code, sql=moved(code.sql), incremental_sql=moved(code.incremental_sql))
    node = _with_hooks(node, moved)
    for each in moves.values():
        if each.here not in found:
            raise RunError(
                f"{node.id}: defer: it reads {each.id}, which is to be read from {each.there}, and "
                f"its compiled SQL does not name {each.here} as dbt writes a reference. Let "
                "engine dbt run it, or write {{ ref(...) }} as it is"
            )
    return node, code


def _with_hooks(node: Node, moved: Callable[[str | None], str | None]) -> Node:
    spec = node.spec
    if not isinstance(spec, ModelSpec | SeedSpec | SnapshotSpec):
        return node

    def each(hooks: tuple[Hook, ...]) -> Iterator[Hook]:
        for hook in hooks:
            yield replace(hook, sql=moved(hook.sql) or "")

    pre, post = tuple(each(spec.pre_hooks)), tuple(each(spec.post_hooks))
    return replace(node, spec=replace(spec, pre_hooks=pre, post_hooks=post))


def _exists(relation: Relation, runner: SqlRunner) -> bool:
    if relation.database is not None and not catalog.database_exists(runner, relation.database):
        return False
    return catalog.relation_kind(runner, relation) is not None


def _is_ephemeral(node: Node) -> bool:
    return isinstance(node.spec, ModelSpec) and node.spec.materialized == "ephemeral"
