"""What hangs on a Postgres table, and how a new table gets it.

The catalogs are described in https://www.postgresql.org/docs/current/catalogs.html.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from airflow_dataops.core.engines.identifiers import quote
from airflow_dataops.core.engines.loads import Belonging
from airflow_dataops.core.engines.relations import render
from airflow_dataops.core.engines.statements import MARK, Statement

if TYPE_CHECKING:
    from airflow_dataops.core.model import Relation


def in_the_way(relation: Relation) -> Statement:
    """Return the query for what would be lost, or would stop the drop, with the old table.

    Views, foreign keys, triggers, policies, publications and sequences belong to one table,
    not to its name; the sequence of an identity would begin again.
    """
    return Statement(
        sql=(
            f"with t as (select * from pg_class where oid = to_regclass({MARK}))\n"
            "select distinct pg_describe_object(d.classid, d.objid, d.objsubid)\n"
            "from t join pg_depend as d on d.deptype in ('n', 'a') and (\n"
            "  d.refclassid = 'pg_class'::regclass and d.refobjid = t.oid\n"
            "  or d.refclassid = 'pg_type'::regclass and d.refobjid = t.reltype)\n"
            "where d.classid not in ('pg_attrdef'::regclass, 'pg_statistic_ext'::regclass)\n"
            "  and not exists (select 1 from pg_constraint as c where c.oid = d.objid\n"
            "    and d.classid = 'pg_constraint'::regclass and c.conrelid = t.oid\n"
            "    and c.contype <> 'f')\n"
            "  and not exists (select 1 from pg_class as c where c.oid = d.objid\n"
            "    and d.classid = 'pg_class'::regclass and c.relkind = 'i')\n"
            "union all select 'partitions or inheritance' from t where relkind <> 'r'\n"
            "  or exists (select 1 from pg_inherits where t.oid in (inhrelid, inhparent))\n"
            "union all select 'row security' from t where relrowsecurity\n"
            "union all select 'identity of ' || attname from t join pg_attribute\n"
            "  on attrelid = t.oid and attidentity <> ''\n"
            "union all select 'replica identity' from t where relreplident <> 'd'\n"
            "union all select 'another owner' from t where not pg_has_role(relowner, 'usage')\n"
            "union all select 'grant on column ' || attname from t join pg_attribute\n"
            "  on attrelid = t.oid and attacl is not null"
        ),
        parameters=(render(relation, "postgres"),),
    )


def belongings(relation: Relation) -> Statement:
    """Return the query for constraints with an index, indexes, grants, owner and comment."""
    return Statement(
        sql=(
            f"with t as (select * from pg_class where oid = to_regclass({MARK}))\n"
            "select 'constraint', c.conname, pg_get_constraintdef(c.oid)\n"
            "from t join pg_constraint as c on c.conrelid = t.oid\n"
            "  and c.contype in ('p', 'u', 'x')\n"
            "union all\n"
            "select case when i.indisunique then 'unique index' else 'index' end, x.relname,\n"
            "  substr(pg_get_indexdef(x.oid), 1 + length(format('CREATE %sINDEX %I ON %s USING ',\n"
            "    case when i.indisunique then 'UNIQUE ' else '' end, x.relname,\n"
            "    format('%I.%I', n.nspname, t.relname))))\n"
            "from t join pg_namespace as n on n.oid = t.relnamespace\n"
            "join pg_index as i on i.indrelid = t.oid join pg_class as x on x.oid = i.indexrelid\n"
            "where not exists (select 1 from pg_constraint as c where c.conindid = x.oid\n"
            "  and c.conrelid = t.oid and c.contype in ('p', 'u', 'x'))\n"
            "union all\n"
            "select 'grant', a.privilege_type || case when a.is_grantable then '*' else '' end,\n"
            "  case when a.grantee = 0 then 'public' else quote_ident(r.rolname) end\n"
            "from t cross join aclexplode(t.relacl) as a left join pg_roles as r\n"
            "  on r.oid = a.grantee where a.grantee <> t.relowner\n"
            "union all\n"
            "select 'owner', '', quote_ident(pg_get_userbyid(relowner)) from t\n"
            "where pg_get_userbyid(relowner) <> current_user\n"
            "union all\n"
            "select 'comment', '', quote_literal(obj_description(oid, 'pg_class')) from t\n"
            "where obj_description(oid, 'pg_class') is not null\n"
            "union all\n"
            "select 'unlogged', '', '' from t where relpersistence = 'u'"
        ),
        parameters=(render(relation, "postgres"),),
    )


def belonging(found: tuple[str, str, str], old: Relation, new: Relation) -> Belonging:
    """Return the statements for one row of `belongings`.

    Names of indexes are of the schema: until the old table is gone, the new one's are others.
    """
    kind, name, definition = found
    table, renamed = render(new, "postgres"), render(old, "postgres")
    own = quote(name, "postgres") if name else ""
    digest = hashlib.sha256(f"{new} {name}".encode()).hexdigest()[:24]
    passing = quote(f"dataops_{digest}", "postgres")
    if kind == "constraint":
        return Belonging(
            create=f"alter table {table} add constraint {passing} {definition}",
            rename=f"alter table {renamed} rename constraint {passing} to {own}",
        )
    if kind.endswith("index"):
        schema = f"{quote(old.schema, 'postgres')}." if old.schema else ""
        return Belonging(
            create=f"create {kind} {passing} on {table} using {definition}",
            rename=f"alter index {schema}{passing} rename to {own}",
        )
    return Belonging(create=_setting(kind, name, definition, table))


def _setting(kind: str, name: str, definition: str, table: str) -> str:
    if kind == "grant":
        option = " with grant option" if name.endswith("*") else ""
        return f"grant {name.rstrip('*')} on {table} to {definition}{option}"
    if kind == "owner":
        return f"alter table {table} owner to {definition}"
    if kind == "comment":
        return f"comment on table {table} is {definition}"
    return f"alter table {table} set unlogged"
