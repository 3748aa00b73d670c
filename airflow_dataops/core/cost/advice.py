"""What to do about an expensive query, read from its text and from what it scanned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_dataops.core.cost.queries import QueryCost

_MUCH = 2**30
"""Bytes below which a scan is left alone."""
_MOST = 0.8
"""Share of the partitions above which a scan is called full."""


def advice(query: QueryCost) -> tuple[str, ...]:
    """Say what would make a query cheaper; nothing where nothing is known to help."""
    found = list(_scanned(query))
    if query.bytes >= _MUCH:
        try:
            parsed = sqlglot.parse_one(query.query, read=query.platform)
        except (SqlglotError, RecursionError):  # cut off, or a script
            return tuple(found)
        found += _written(parsed)
    return tuple(dict.fromkeys(found))


def _scanned(query: QueryCost) -> Iterator[str]:
    if query.scanned is not None and query.scanned >= _MOST and query.bytes >= _MUCH:
        yield (
            f"Full scan: {query.scanned:.0%} of the partitions were read. "
            "Filter by the clustering key, or cluster the table by what is filtered by."
        )
    if query.spilled_remote:
        yield (
            f"Spilled {query.spilled_remote / _MUCH:,.1f} GiB to remote storage: the warehouse has "
            "too little memory. Take a larger one for this query, or load fewer rows at a time."
        )
    elif query.spilled >= _MUCH:
        yield (
            f"Spilled {query.spilled / _MUCH:,.1f} GiB to local disks. Read fewer columns, "
            "aggregate before joins, or take a larger warehouse."
        )


def _written(query: exp.Expr) -> Iterator[str]:
    names = {cte.alias_or_name for cte in query.find_all(exp.CTE)}
    for select in query.find_all(exp.Select):
        tables = _tables(select, names)
        if not tables:
            continue
        if select.args.get("where") is None:
            yield (
                f"No partition filter: {', '.join(tables)} is read as a whole. Filter by the "
                "partition column, or make the model incremental."
            )
        if any(isinstance(column, exp.Star) for column in select.expressions):
            yield f"SELECT * reads every column of {', '.join(tables)}; name those needed."
        if select.args.get("limit") is not None and select.args.get("where") is None:
            yield "LIMIT does not make a scan cheaper; filter instead."


def _tables(select: exp.Select, ctes: set[str]) -> list[str]:
    sources = [select.args.get("from_") or select.args.get("from")]
    sources += select.args.get("joins") or []
    found = [source.this for source in sources if source is not None]
    return [
        ".".join(part.name for part in each.parts)
        for each in found
        if isinstance(each, exp.Table) and each.name not in ctes
    ]
