"""The text of the incremental strategies; what they do is tried in tests/contract."""

from __future__ import annotations

from airflow_dataops.core.sql import loads

TARGET, SOURCE = '"shop"."marts"."orders"', '"orders__dbt_tmp"'


def test_insert_names_its_columns() -> None:
    assert loads.insert(TARGET, SOURCE, ["id", "n"], "duckdb") == (
        f'insert into {TARGET} ("id", "n")\nselect "id", "n"\nfrom {SOURCE}'
    )


def test_delete_by_one_key_leaves_the_target_its_name() -> None:
    """Predicates of one key use bare column names, as in dbt-duckdb."""
    assert loads.delete_matching(TARGET, SOURCE, ["id"], ["n > 1", "n < 9"], "duckdb") == (
        f'delete from {TARGET}\nwhere "id" in (select "id" from {SOURCE})\n  and n > 1\n  and n < 9'
    )


def test_delete_by_several_keys_names_the_target() -> None:
    predicate = "DBT_INCREMENTAL_TARGET.n > 1"
    assert loads.delete_matching(TARGET, SOURCE, ["id", "day"], [predicate], "duckdb") == (
        f"delete from {TARGET} as DBT_INCREMENTAL_TARGET\n"
        f"using {SOURCE}\n"
        f'where {SOURCE}."id" = DBT_INCREMENTAL_TARGET."id"\n'
        f'  and {SOURCE}."day" = DBT_INCREMENTAL_TARGET."day"\n'
        f"  and {predicate}"
    )


def test_delete_by_one_key_names_the_target_when_a_predicate_does() -> None:
    predicate = "dbt_incremental_target.n > 1"
    assert loads.delete_matching(TARGET, SOURCE, ["id"], [predicate], "duckdb") == (
        f"delete from {TARGET} as DBT_INCREMENTAL_TARGET\n"
        f"using {SOURCE}\n"
        f'where {SOURCE}."id" = DBT_INCREMENTAL_TARGET."id"\n'
        f"  and {predicate}"
    )


def test_merge_by_keys_and_predicates() -> None:
    text = loads.merge(
        TARGET,
        SOURCE,
        ["id"],
        insert_columns=["id", "n"],
        update_columns=["n"],
        predicates=["DBT_INTERNAL_DEST.n > 1 -- recent"],
        dialect="duckdb",
    )
    assert text == (
        f"merge into {TARGET} as DBT_INTERNAL_DEST\n"
        f"using {SOURCE} as DBT_INTERNAL_SOURCE\n"
        'on (DBT_INTERNAL_SOURCE."id" = DBT_INTERNAL_DEST."id")\n'
        "  and (\nDBT_INTERNAL_DEST.n > 1 -- recent\n)\n"
        'when matched then update set "n" = DBT_INTERNAL_SOURCE."n"\n'
        'when not matched then insert ("id", "n")\n'
        'values (DBT_INTERNAL_SOURCE."id", DBT_INTERNAL_SOURCE."n")'
    )


def test_merge_without_keys_matches_nothing_and_without_updates_only_adds() -> None:
    text = loads.merge(
        TARGET,
        SOURCE,
        [],
        insert_columns=["id"],
        update_columns=[],
        predicates=[],
        dialect="duckdb",
    )
    assert text == (
        f"merge into {TARGET} as DBT_INTERNAL_DEST\n"
        f"using {SOURCE} as DBT_INTERNAL_SOURCE\n"
        "on (false)\n"
        'when not matched then insert ("id")\n'
        'values (DBT_INTERNAL_SOURCE."id")'
    )
