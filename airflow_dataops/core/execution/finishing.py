"""Does what is left to do once a table or view is built: indexes, grants, comments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_dataops.core import privileges
from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.relations import RelationKind
from airflow_dataops.core.engines.statements import ask
from airflow_dataops.core.model import ModelSpec, SeedSpec, SnapshotSpec
from airflow_dataops.core.sql import catalog, finishing

if TYPE_CHECKING:
    from airflow_dataops.core.model import ColumnSpec, Node, Relation
    from airflow_dataops.core.ports import SqlRunner
    from airflow_dataops.core.privileges import Privileges


def create_indexes(node: Node, relation: Relation, runner: SqlRunner) -> None:
    """Make the indexes of a table that has just been made.

    Raises:
        RunError: the table lacks one of their columns.
    """
    indexes = node.config.get("indexes") or ()
    if not indexes or not get_engine(runner.dialect).models.finishing.indexes:
        return
    present = [column.name for column in catalog.columns_of(runner, relation)]
    for index in indexes:
        runner.execute(finishing.create_index(relation, index, present, runner.dialect))


def finish(
    node: Node, relation: Relation, kind: RelationKind, runner: SqlRunner, *, inherits: bool
) -> None:
    """Grant and comment as the node's author asks.

    Args:
        inherits: whether the relation may have grants of earlier builds, which are taken away.
    """
    _grant(node, relation, runner, inherits=inherits)
    _comment(node, relation, kind, runner)


def documented(node: Node, what: str) -> bool:
    """Tell whether `persist_docs` asks for comments on the `relation` or on its `columns`."""
    asked: dict[str, Any] = node.config.get("persist_docs") or {}
    return bool(asked.get(what))


def described_columns(node: Node) -> tuple[ColumnSpec, ...]:
    """Return the columns to comment on."""
    spec = node.spec
    if isinstance(spec, ModelSpec | SeedSpec | SnapshotSpec) and documented(node, "columns"):
        return spec.described
    return ()


def _grant(node: Node, relation: Relation, runner: SqlRunner, *, inherits: bool) -> None:
    grants = get_engine(runner.dialect).models.finishing.grants
    wanted = privileges.configured_grants(node.config.get("grants") or {})
    if grants is None or not wanted:
        return
    present: Privileges = {}
    if inherits:
        for grantee, privilege in grants.read(ask(grants.listed(relation), runner)):
            present[privilege] = (*present.get(privilege, ()), grantee)
    dialect = runner.dialect
    for sql in finishing.revoke(relation, privileges.beyond(present, wanted), dialect):
        runner.execute(sql)
    for sql in finishing.grant(relation, privileges.beyond(wanted, present), dialect):
        runner.execute(sql)


def _comment(node: Node, relation: Relation, kind: RelationKind, runner: SqlRunner) -> None:
    dialect = runner.dialect
    if documented(node, "relation") and node.description:
        runner.execute(finishing.comment_on_relation(kind, relation, node.description, dialect))
    described = described_columns(node)
    comments = get_engine(dialect).models.finishing.comments
    if not described or (kind is RelationKind.VIEW and comments.view_column is not None):
        return
    present = [column.name for column in catalog.columns_of(runner, relation)]
    for sql in finishing.comment_on_columns(relation, described, present, dialect):
        runner.execute(sql)
