"""What Redshift does not take of what Postgres takes: each statement of ours is read for it.

https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-features.html,
r_DELETE.html, r_MERGE.html and r_correlated_subqueries.html beside it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import TokenType, exp

if TYPE_CHECKING:
    from collections.abc import Iterator


_LACKED = {
    "IS DISTINCT FROM": (exp.NullSafeEQ, exp.NullSafeNEQ),
    "RETURNING": (exp.Returning,),
    "UNNEST": (exp.Unnest, exp.Explode),
    "LATERAL": (exp.Lateral,),
    "FILTER": (exp.Filter,),
}


class NotRedshiftError(AssertionError):
    """A statement that Redshift would refuse."""


@lru_cache(maxsize=4096)
def as_redshift_reads(sql: str) -> str:
    """Return a statement with its names folded, as Redshift folds them even in quotes, and with
    Postgres's words where Redshift has others.

    Raises:
        NotRedshiftError: Redshift has no such statement.
    """
    found = sorted(set(_unknown(sql)))
    if found:
        raise NotRedshiftError(f"Redshift does not take {', '.join(found)}:\n{sql}")
    return _translated(sql)


def _translated(sql: str) -> str:
    for token in reversed(sqlglot.tokenize(sql, dialect="redshift")):
        begin, end = token.start, token.end + 1
        if token.token_type is TokenType.IDENTIFIER:
            sql = sql[:begin] + sql[begin:end].lower() + sql[end:]
        elif sql[begin:end].lower() == "sysdate":
            sql = f"{sql[:begin]}cast(transaction_timestamp() as timestamp){sql[end:]}"
    return sql


def _unknown(sql: str) -> Iterator[str]:
    [tree] = sqlglot.parse(sql, dialect="redshift")
    if tree is None or isinstance(tree, exp.Command):
        yield "what sqlglot cannot read"
        return
    for node in tree.walk():
        yield from (name for name, kinds in _LACKED.items() if isinstance(node, kinds))
        match node:
            case exp.Delete() if node.this.alias:
                yield "an alias in DELETE"
            case exp.Insert() if node.args.get("conflict"):
                yield "ON CONFLICT"
            case exp.Create() if node.args.get("replace") and node.kind == "TABLE":
                yield "CREATE OR REPLACE TABLE"
            case exp.Except() | exp.Intersect() if node.args.get("distinct") is False:
                yield "EXCEPT ALL"
            case exp.Alter() if tree.args.get("kind") == "VIEW":
                yield "ALTER VIEW"
            case exp.Merge():
                yield from _of_merge(node)
            case exp.Column() if _levels(node) > 1:
                yield f"a correlation of {node.sql()} that skips a query"


def _of_merge(merge: exp.Merge) -> Iterator[str]:
    if merge.this.alias:
        yield "an alias for the target of MERGE"
    if not isinstance(merge.args["using"], exp.Table):
        yield "a subquery in MERGE"
    if any(when.args.get("condition") for when in merge.find_all(exp.When)):
        yield "a condition in WHEN"


def _levels(column: exp.Column) -> int:
    """Return how many queries out a column's table is named; 0 where it is unqualified."""
    query, passed = column.find_ancestor(exp.Select), 0
    while column.table and query is not None and column.table not in _sources(query):
        query, passed = query.find_ancestor(exp.Select), passed + 1
    return passed


def _sources(query: exp.Select) -> set[str]:
    named = query.args.get("from_") or query.args.get("from")
    joined = [join.this for join in query.args.get("joins") or ()]
    return {each.alias_or_name for each in ([named.this] if named else []) + joined}
