"""Which tables a query reads."""

from __future__ import annotations

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError


def tables_read(sql: str, dialect: str) -> tuple[str, ...]:
    """Return the names of the tables that a query reads, sorted; none where it is not understood.

    Names are the query's own, each part without its quotes: `shop.sales.orders`.
    """
    try:
        query = sqlglot.parse_one(sql, dialect=dialect)
    except SqlglotError:
        return ()
    made = {cte.alias_or_name for cte in query.find_all(exp.CTE)}
    found = {
        ".".join(part.name for part in table.parts)
        for table in query.find_all(exp.Table)
        if table.name and (table.args.get("db") or table.name not in made)
    }
    return tuple(sorted(found))
