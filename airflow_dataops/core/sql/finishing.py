"""Statements for what stands beside a table's rows: comments, grants, indexes.

Source: dbt's macros `persist_docs`, `apply_grants` and `create_indexes`.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from airflow_dataops.core.engines import get_engine
from airflow_dataops.core.engines.identifiers import literal, quote, resolve_all
from airflow_dataops.core.engines.relations import render

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_dataops.core.engines.relations import RelationKind
    from airflow_dataops.core.model import ColumnSpec, Relation
    from airflow_dataops.core.privileges import Privileges


def comment_on_relation(kind: RelationKind, relation: Relation, text: str, dialect: str) -> str:
    """Return the statement that comments on a table or view."""
    comments = get_engine(dialect).models.finishing.comments
    return comments.relation(kind, render(relation, dialect), _text(text, dialect))


def comment_on_columns(
    relation: Relation, described: Iterable[ColumnSpec], present: Sequence[str], dialect: str
) -> list[str]:
    """Return the statements that comment on those of the described columns that are there."""
    found = [
        (quote(name, dialect), _text(text, dialect))
        for name, text in _by_column(described, present, dialect).items()
    ]
    comments = get_engine(dialect).models.finishing.comments
    return comments.columns(render(relation, dialect), found) if found else []


def commented_columns(
    described: Iterable[ColumnSpec], present: Sequence[str], dialect: str
) -> str | None:
    """Return the columns of a view with their comments, for CREATE VIEW.

    None where the engine comments on them as on those of a table.
    """
    form = get_engine(dialect).models.finishing.comments.view_column
    if form is None:
        return None
    texts = _by_column(described, present, dialect)
    listed = (form.format(quote(n, dialect), _text(texts.get(n, ""), dialect)) for n in present)
    between = ",\n"
    return f" (\n{between.join(listed)}\n)"


def grant(relation: Relation, privileges: Privileges, dialect: str) -> list[str]:
    """Return the statements that give privileges."""
    name = render(relation, dialect)
    return [f"grant {p} on {name} to {who}" for p, who in _each(privileges, dialect)]


def revoke(relation: Relation, privileges: Privileges, dialect: str) -> list[str]:
    """Return the statements that take privileges away; the names are those of the catalog."""
    name = render(relation, dialect)
    quoted = {p: tuple(_catalogued(g, dialect) for g in who) for p, who in privileges.items()}
    return [f"revoke {p} on {name} from {who}" for p, who in _each(quoted, dialect)]


def create_index(
    relation: Relation, index: Mapping[str, Any], present: Sequence[str], dialect: str
) -> str:
    """Return the statement that makes an index of a name that no other has, as dbt does.

    Raises:
        RunError: the table lacks one of its columns.
    """
    columns = resolve_all(index["columns"], present, what="indexes", where=str(relation))
    unique = "unique " if index.get("unique") else ""
    using = ""
    if index.get("type") in get_engine(dialect).models.finishing.index_methods:
        using = f" using {index['type']}"
    named = quote(secrets.token_hex(16), dialect)
    listed = ", ".join(quote(column, dialect) for column in columns)
    return f"create {unique}index {named} on {render(relation, dialect)}{using} ({listed})"


def _by_column(
    described: Iterable[ColumnSpec], present: Sequence[str], dialect: str
) -> dict[str, str]:
    """Return the texts by the names of columns; one that is not there is left out, as by dbt."""
    comments = get_engine(dialect).models.finishing.comments
    texts = {column.name: column.description for column in described}
    found = {}
    for name in present:
        known = next((texts[each] for each in comments.named(name) if each in texts), None)
        if known is not None or comments.every_column:
            found[name] = known or ""
    return found


def _text(text: str, dialect: str) -> str:
    return literal(get_engine(dialect).models.finishing.comments.written(text), dialect)


def _each(privileges: Privileges, dialect: str) -> list[tuple[str, str]]:
    grants = get_engine(dialect).models.finishing.grants
    if grants is not None and grants.together:
        return [(p, ", ".join(who)) for p, who in privileges.items() if who]
    return [(p, grantee) for p, who in privileges.items() for grantee in who]


def _catalogued(grantee: str, dialect: str) -> str:
    return grantee if grantee == "PUBLIC" else quote(grantee, dialect)
