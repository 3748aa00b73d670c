"""Models with three builds each, for the comparison with dbt.

A case is what the model is in each build: its configuration and its query. The last of either
stands for the builds after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Case:
    """Attributes:
    configs: dbt configuration, `materialized` included.
    queries: SQL without Jinja.
    """

    configs: tuple[dict[str, Any], ...]
    queries: tuple[str, ...]

    def model(self, build: int) -> str:
        """Return the file of the model in a build, counted from 0."""
        config = self.configs[min(build, len(self.configs) - 1)]
        query = self.queries[min(build, len(self.queries) - 1)]
        settings = ", ".join(f"{name}={value!r}" for name, value in config.items())
        return f"{{{{ config({settings}) }}}}\n{query}\n-- the end"


def rows(values: str, columns: str = "id, name, n") -> str:
    """Return a query with literal rows."""
    return f"select * from (values {values}) as v({columns})"


BASE = rows("(1, 'a', 10), (2, 'b', 20), (3, 'c', 30)")
NEXT = rows("(2, 'B', 21), (4, 'd', 40)")
TOUCHED = rows("(1, 'x', 1), (2, 'B', 21), (4, 'd', 40)")


def incremental(*queries: str, **config: Any) -> Case:
    """Return an incremental model."""
    return Case(({"materialized": "incremental", **config},), queries)


def changing(*materialized: str, **config: Any) -> Case:
    """Return a model that is something else from build to build."""
    kinds = tuple({"materialized": kind, **config} for kind in materialized)
    return Case(kinds, (BASE, NEXT, BASE))


STRATEGIES = {
    "append": incremental(BASE, NEXT, incremental_strategy="append"),
    "append_with_key": incremental(BASE, NEXT, incremental_strategy="append", unique_key="id"),
    "default_no_key": incremental(BASE, NEXT),
    "default_key": incremental(BASE, NEXT, unique_key="id"),
    "di_list_of_one": incremental(
        BASE, NEXT, unique_key=["id"], incremental_strategy="delete+insert"
    ),
    "di_list": incremental(BASE, rows("(2, 'b', 21), (3, 'z', 40)"), unique_key=["id", "name"]),
    "di_other_case": incremental(BASE, NEXT, unique_key="ID"),
    "di_unknown_key": incremental(BASE, NEXT, unique_key="nope"),
    "di_predicate": incremental(BASE, TOUCHED, unique_key="id", incremental_predicates=["n > 15"]),
    "di_predicate_or": incremental(
        BASE, rows("(1, 'x', 1)"), unique_key="id", incremental_predicates=["n > 15 or n > 25"]
    ),
    "di_predicate_list": incremental(
        BASE,
        rows("(1, 'a', 1), (2, 'b', 21), (4, 'd', 40)"),
        unique_key=["id", "name"],
        incremental_predicates=["DBT_INCREMENTAL_TARGET.n > 15"],
    ),
    "di_predicate_list_of_one": incremental(
        BASE,
        TOUCHED,
        unique_key=["id"],
        incremental_predicates=["DBT_INCREMENTAL_TARGET.n > 15", "DBT_INCREMENTAL_TARGET.id < 9"],
    ),
    "di_predicates_other_name": incremental(BASE, TOUCHED, unique_key="id", predicates=["n > 15"]),
    "di_null_key": incremental(
        rows("(1, 'a'), (null, 'b')", "id, name"),
        rows("(null, 'c'), (1, 'z')", "id, name"),
        unique_key="id",
    ),
    "di_null_in_list": incremental(
        rows("(1, 'a', 1), (1, null, 2), (null, null, 3)"),
        rows("(1, null, 4), (1, 'a', 5), (null, null, 6)"),
        unique_key=["id", "name"],
    ),
    "di_duplicates": incremental(BASE, rows("(2, 'x', 1), (2, 'y', 2)"), unique_key="id"),
    "di_more_columns": incremental(
        BASE, rows("(7, 'x', 1, 5)", "id, name, n, extra"), unique_key="id"
    ),
    "di_fewer_columns": incremental(BASE, rows("(2, 5)", "id, n"), unique_key="id"),
    "di_other_order": incremental(BASE, rows("(5, 'B', 2)", "n, name, id"), unique_key="id"),
    "di_other_type": incremental(BASE, rows("(2, 'B', 2.5)"), unique_key="id"),
    "di_unfit_type": incremental(BASE, rows("(2, 'B', 'x')"), unique_key="id"),
    "merge": incremental(BASE, NEXT, unique_key="id", incremental_strategy="merge"),
    "merge_no_key": incremental(BASE, NEXT, incremental_strategy="merge"),
    "merge_list": incremental(
        BASE,
        rows("(2, 'b', 21), (3, 'z', 40)"),
        unique_key=["id", "name"],
        incremental_strategy="merge",
    ),
    "merge_update": incremental(
        BASE,
        NEXT,
        unique_key="id",
        incremental_strategy="merge",
        merge_update_columns=["N"],
    ),
    "merge_exclude": incremental(
        BASE,
        NEXT,
        unique_key="id",
        incremental_strategy="merge",
        merge_exclude_columns=["NAME"],
    ),
    "merge_predicate": incremental(
        BASE,
        TOUCHED,
        unique_key="id",
        incremental_strategy="merge",
        incremental_predicates=["DBT_INTERNAL_DEST.n > 15"],
    ),
    "merge_predicate_or": incremental(
        BASE,
        TOUCHED,
        unique_key="id",
        incremental_strategy="merge",
        incremental_predicates=[
            "DBT_INTERNAL_DEST.n > 15 or DBT_INTERNAL_SOURCE.n < 0",
            "DBT_INTERNAL_SOURCE.id < 100",
        ],
    ),
    "merge_null_key": incremental(
        rows("(1, 'a'), (null, 'b')", "id, name"),
        rows("(null, 'c'), (1, 'z')", "id, name"),
        unique_key="id",
        incremental_strategy="merge",
    ),
    "merge_duplicates": incremental(
        BASE,
        rows("(2, 'x', 1), (2, 'y', 2)"),
        unique_key="id",
        incremental_strategy="merge",
    ),
    "merge_new_duplicates": incremental(
        BASE,
        rows("(7, 'x', 1), (7, 'y', 2)"),
        unique_key="id",
        incremental_strategy="merge",
    ),
    "merge_more_columns": incremental(
        BASE,
        rows("(7, 'x', 1, 5)", "id, name, n, extra"),
        unique_key="id",
        incremental_strategy="merge",
    ),
    "merge_fewer_columns": incremental(
        BASE, rows("(2, 5), (9, 9)", "id, n"), unique_key="id", incremental_strategy="merge"
    ),
    "merge_fewer_exclude": incremental(
        BASE,
        rows("(2, 5), (9, 9)", "id, n"),
        unique_key="id",
        incremental_strategy="merge",
        merge_exclude_columns=["n"],
    ),
    "merge_other_order": incremental(
        BASE,
        rows("(5, 'B', 2), (6, 'd', 4)", "n, name, id"),
        unique_key="id",
        incremental_strategy="merge",
    ),
    "full_refresh_of_its_own": incremental(BASE, NEXT, unique_key="id", full_refresh=True),
}

KINDS = {
    "table_again": changing("table", "table", "table"),
    "view_again": changing("view", "view", "view"),
    "view_table_view": changing("view", "table", "view"),
    "table_incremental": changing("table", "incremental", "incremental", unique_key="id"),
    "view_incremental": changing("view", "incremental", "incremental", unique_key="id"),
    "incremental_view": changing("incremental", "view", "incremental", unique_key="id"),
    "reads_itself": Case(
        ({"materialized": "table"},), (BASE, "select id, n + 1 as n from main.reads_itself")
    ),
    "hooks": Case(
        (
            {
                "materialized": "table",
                "pre_hook": [
                    "create table if not exists hooked(n int)",
                    "insert into hooked from hooked",
                ],
                "post_hook": ["insert into hooked select count(*) from main.hooks", " "],
            },
        ),
        ("select 1 as n", "select n from main.hooked"),
    ),
}

_CHANGES = {
    "same": NEXT,
    "more": rows("(2, 'B', 21, 5), (7, 'x', 1, 5)", "id, name, n, extra"),
    "fewer": rows("(2, 5), (9, 9)", "id, n"),
    "wider": rows("(2, 'B', 2.5), (8, 't', 3.25)"),
    "narrower": rows("(2, 'B', 2::tinyint)"),
    "text": rows("(2, 'B', 'x'), (8, 't', 'y')"),
    "all": rows("(2, 'five', 'q')", "id, n, z"),
    "order": rows("(5, 'B', 2), (6, 'd', 4)", "n, name, id"),
    "case": rows("(2, 'B', 2)", "id, NAME, n"),
}

SCHEMA_CHANGES = {
    f"{reaction}_{change}_{strategy.replace('+', '_')}": incremental(
        BASE, query, unique_key="id", incremental_strategy=strategy, on_schema_change=reaction
    )
    for reaction in ("ignore", "fail", "append_new_columns", "sync_all_columns")
    for change, query in _CHANGES.items()
    for strategy in ("append", "delete+insert", "merge")
}

CASES = STRATEGIES | KINDS | SCHEMA_CHANGES
