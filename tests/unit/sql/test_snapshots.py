"""The text of snapshots, reviewed once in each form; what it does is compared with dbt's."""

from __future__ import annotations

from airflow_dataops.core.model import HardDeletes, Relation, SnapshotColumns
from airflow_dataops.core.sql import snapshots
from airflow_dataops.core.sql.snapshots import History, Incoming, Match


def history(deletes: HardDeletes, valid_to_current: str | None = None) -> History:
    return History(
        relation=Relation(schema="h", identifier="people"),
        names=SnapshotColumns(),
        hard_deletes=deletes,
        valid_to_current=valid_to_current,
        dialect="duckdb",
    )


INCOMING = Incoming(table='"new"', columns=("id", "v"), keys=('"id"',), updated_at='"at"')
MATCH = Match(keys=('"ID"',), columns=("ID", None), changed="open_rows.x is distinct from 1")
IGNORE, INVALIDATE, RECORD = HardDeletes
ID = "md5(coalesce(cast(\"id\" as varchar), '') || '|' || coalesce(cast(\"at\" as varchar), ''))"
NOW = "cast(current_timestamp as timestamp)"
SIDES = f"""\
with incoming as (
  select *, "id" as dbt_internal_key_1,
    "at" as dbt_internal_seen_at,
    {ID} as dbt_internal_id
  from "new"
), open_rows as (
  select *, "ID" as dbt_internal_key_1
  from "h"."people"
  where "dbt_valid_to" is null
)"""
KEYS = "open_rows.dbt_internal_key_1 = incoming.dbt_internal_key_1"


def test_first_rows() -> None:
    assert snapshots.first_rows(history(RECORD, "date '9999-12-31'"), INCOMING) == (
        "select\n"
        '  "id", "v",\n'
        f'  {ID} as "dbt_scd_id",\n'
        '  "at" as "dbt_updated_at",\n'
        '  "at" as "dbt_valid_from",\n'
        '  coalesce(nullif("at", "at"), date \'9999-12-31\') as "dbt_valid_to",\n'
        "  'False' as \"dbt_is_deleted\"\n"
        'from "new"'
    )


def test_ended_rows() -> None:
    assert snapshots.ended_rows(history(INVALIDATE), INCOMING, MATCH) == (
        f"{SIDES}\n"
        'select open_rows."dbt_scd_id", incoming.dbt_internal_seen_at as "dbt_valid_to"\n'
        f"from incoming join open_rows on {KEYS}\n"
        "where ((open_rows.x is distinct from 1))\n"
        "union all\n"
        f'select open_rows."dbt_scd_id", {NOW}\n'
        f"from open_rows left join incoming on {KEYS}\n"
        "where incoming.dbt_internal_key_1 is null"
    )


def test_begun_rows() -> None:
    assert snapshots.begun_rows(history(RECORD), INCOMING, MATCH) == (
        f"{SIDES}\n"
        'select incoming."id", incoming."v", incoming.dbt_internal_id as "dbt_scd_id",'
        ' incoming.dbt_internal_seen_at as "dbt_updated_at",'
        ' incoming.dbt_internal_seen_at as "dbt_valid_from",'
        " coalesce(nullif(incoming.dbt_internal_seen_at, incoming.dbt_internal_seen_at), null)"
        ' as "dbt_valid_to", \'False\' as "dbt_is_deleted"\n'
        f"from incoming left join open_rows on {KEYS}\n"
        "where open_rows.dbt_internal_key_1 is null or ((open_rows.x is distinct from 1)"
        " or open_rows.\"dbt_is_deleted\" = 'True')\n"
        "union all\n"
        'select open_rows."ID", incoming."v",'
        " md5(coalesce(cast(open_rows.\"dbt_scd_id\" as varchar), '') || '|' ||"
        f" coalesce(cast({NOW} as varchar), '')), {NOW}, {NOW},"
        " open_rows.\"dbt_valid_to\", 'True'\n"
        f"from open_rows left join incoming on {KEYS}\n"
        "where incoming.dbt_internal_key_1 is null"
        ' and not (open_rows."dbt_is_deleted" = \'True\' and open_rows."dbt_valid_to" is null)'
    )


def test_close_rows() -> None:
    assert snapshots.close_rows(history(IGNORE, "date '9999-12-31'"), '"ended"') == (
        'update "h"."people" as history\n'
        'set "dbt_valid_to" = ended."dbt_valid_to"\n'
        'from "ended" as ended\n'
        'where history."dbt_scd_id" = ended."dbt_scd_id" and'
        ' (history."dbt_valid_to" = date \'9999-12-31\' or history."dbt_valid_to" is null)'
    )


def test_add_rows() -> None:
    pairs = [("id", "ID"), ("v", "v")]
    assert snapshots.add_rows(history(IGNORE), '"begun"', pairs) == (
        'insert into "h"."people" ("ID", "v")\nselect "id", "v"\nfrom "begun"'
    )


def test_conditions_of_the_strategies() -> None:
    assert snapshots.later(history(IGNORE)) == (
        'open_rows."dbt_valid_from" < incoming.dbt_internal_seen_at'
    )
    assert snapshots.differs([("v", "V"), ("w", "w")], "duckdb") == (
        'open_rows."V" is distinct from incoming."v" or open_rows."w" is distinct from incoming."w"'
    )
