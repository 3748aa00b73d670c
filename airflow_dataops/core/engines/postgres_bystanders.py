"""What else happens on Postgres when rows of a table are written.

https://www.postgresql.org/docs/current/catalog-pg-constraint.html, catalog-pg-rewrite.html,
catalog-pg-trigger.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dataops.core.engines.relations import render
from airflow_dataops.core.engines.statements import MARK, Statement

if TYPE_CHECKING:
    from airflow_dataops.core.model import Relation


def bystanders(relation: Relation) -> Statement:
    """Return the query for foreign keys to a table, its rules, its triggers, and its heirs.

    Each with kind, name, table, what it does on DELETE and on UPDATE, the columns it is about,
    and whether the table is the same.
    """
    return Statement(
        sql=(
            f"with t as (select oid from pg_class where oid = to_regclass({MARK}))\n"
            "select 'foreign key', cast(c.conname as text), cast(c.conrelid::regclass as text),\n"
            "  cast(c.confdeltype as text), cast(c.confupdtype as text),\n"
            "  array(select cast(a.attname as text) from pg_attribute as a\n"
            "    where a.attrelid = c.confrelid and a.attnum = any(c.confkey)),\n"
            "  c.conrelid = c.confrelid\n"
            "from t join pg_constraint as c on c.confrelid = t.oid and c.contype = 'f'\n"
            "union all\n"
            "select 'rule', cast(r.rulename as text), '', '', '', cast('{}' as text[]), true\n"
            "from t join pg_rewrite as r on r.ev_class = t.oid\n"
            "  and r.ev_type <> '1' and r.ev_enabled <> 'D'\n"
            "union all\n"
            # tgtype: 1 for each row, 2 before, 8 on delete
            "select 'trigger', cast(g.tgname as text), '',\n"
            "  case when g.tgtype & 8 = 0 then '' when g.tgtype & 3 = 3 then 'before'\n"
            "    else 'after' end, '', cast('{}' as text[]), true\n"
            "from t join pg_trigger as g on g.tgrelid = t.oid\n"
            "  and not g.tgisinternal and g.tgenabled <> 'D'\n"
            "union all\n"
            # Neither partitions nor the chunks of TimescaleDB, which are the table's own.
            "select 'inheriting table', cast(h.oid::regclass as text), '', '', '',\n"
            "  cast('{}' as text[]), false\n"
            "from t join pg_inherits as i on i.inhparent = t.oid\n"
            "join pg_class as h on h.oid = i.inhrelid and not h.relispartition\n"
            "join pg_namespace as n on n.oid = h.relnamespace\n"
            "  and left(n.nspname, 12) <> '_timescaledb'"
        ),
        parameters=(render(relation, "postgres"),),
    )
