"""Snapshots in every variant, over a source that is changed step by step."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

# Rows 1 to 8: a NULL time, NULL values, a NULL key, two rows of one key.
SETUP = (
    "create schema raw",
    """
    create table raw.people as
    select * from (values
        ('eu', 1, 'Ada',    'Paris', 10.5, timestamp '2024-01-01 10:00:00'),
        ('eu', 2, 'Bob',    null,    20.0, timestamp '2024-01-01 11:00:00'),
        ('us', 1, 'Cleo',   'Miami', null, timestamp '2024-01-01 12:00:00.123456'),
        ('us', 4, 'Dan',    'Omaha', 0.0,  null),
        ('us', 5, 'Eve',    'Utica', 1.0,  timestamp '2024-01-02 00:00:00'),
        (null, 6, 'Faye',   'Lyon',  1.0,  timestamp '2024-01-02 00:00:00')
    ) t(region, id, "Full Name", city, score, changed_at)
    """,
)

STEPS: tuple[tuple[str, ...], ...] = (
    (),
    (  # newer time; changed without a newer time; new; gone; a time where there was none
        """update raw.people set "Full Name" = 'Ada L', changed_at = '2024-02-01' where id = 1
           and region = 'eu'""",
        "update raw.people set city = 'Rome' where id = 2",
        "insert into raw.people values ('eu', 7, 'Gil', 'Bonn', 2.5, timestamp '2024-02-01 08:00')",
        "delete from raw.people where id = 5",
        "update raw.people set changed_at = '2024-02-02' where id = 4",
    ),
    (),  # nothing
    (  # back unchanged; a new column; NULL where there was a value
        "insert into raw.people values ('us', 5, 'Eve', 'Utica', 1.0, timestamp '2024-01-02')",
        "alter table raw.people add column tier varchar",
        "update raw.people set tier = 'gold' where id in (1, 7)",
        "update raw.people set city = null, changed_at = '2024-03-01' where id = 7",
        "delete from raw.people where id = 2",
    ),
    (  # gone again; back with another time; time NULL again; a column less; another type
        "delete from raw.people where id = 7",
        "insert into raw.people values ('eu', 2, 'Bob', 'Oslo', 2, timestamp '2024-04-01', 'tin')",
        "update raw.people set changed_at = null where id = 4",
        "alter table raw.people drop column score",
        "alter table raw.people alter id type bigint",
        "alter table main_history.some_lost drop column city",  # a checked column is missing
    ),
    (),
)


@dataclass(frozen=True)
class Case:
    """A snapshot's configuration, its query and the columns it is kept by."""

    config: dict[str, Any]
    query: str = "select * from raw.people where region is not null"
    columns: dict[str, str] = field(default_factory=dict)

    def file(self, name: str) -> str:
        config = ", ".join(f"{key}={json.dumps(value)}" for key, value in self.config.items())
        return (
            f"{{% snapshot {name} %}}\n{{{{ config(schema='history', {config}) }}}}\n"
            f"{self.query}\n{{% endsnapshot %}}\n"
        )


TIME = {"strategy": "timestamp", "updated_at": "changed_at", "unique_key": ["region", "id"]}
ALL = {"strategy": "check", "check_cols": "all", "unique_key": ["region", "id"]}
SOME = {**ALL, "check_cols": ["city", '"full name"']}
INVALIDATE, RECORD = {"hard_deletes": "invalidate"}, {"hard_deletes": "new_record"}
ONE_KEY = "select region || id as k, * from raw.people where region is not null"
FOREVER = {"dbt_valid_to_current": "cast('9999-12-31' as timestamp)"}
NAMES = {
    "snapshot_meta_column_names": {
        "dbt_valid_from": "from_ts",
        "dbt_valid_to": "To_Ts",
        "dbt_scd_id": "row_id",
        "dbt_updated_at": "seen_ts",
        "dbt_is_deleted": "gone",
    }
}

CASES = {
    "time": Case(TIME),
    "time_one_key": Case({**TIME, "unique_key": "k"}, ONE_KEY),
    "time_quoted_key": Case({**TIME, "unique_key": '"K"'}, ONE_KEY),
    "time_invalidate": Case({**TIME, **INVALIDATE}),
    "time_old_invalidate": Case({**TIME, "invalidate_hard_deletes": True}),
    "time_record": Case({**TIME, **RECORD}),
    "time_forever": Case({**TIME, **FOREVER}),
    "time_forever_invalidate": Case({**TIME, **FOREVER, **INVALIDATE}),
    "time_forever_record": Case({**TIME, **FOREVER, **RECORD}),
    "time_names": Case({**TIME, **NAMES}),
    "time_names_record": Case({**TIME, **NAMES, **RECORD, **FOREVER}),
    "time_cast": Case({**TIME, "updated_at": "changed_at::date"}),
    "time_date": Case(
        {**TIME, **INVALIDATE},
        "select * replace (cast(changed_at as date) as changed_at)\n"
        "from raw.people where region is not null",
    ),
    "time_zone": Case(
        {**TIME, **RECORD},
        "select * replace (changed_at::timestamptz as changed_at)\n"
        "from raw.people where region is not null -- a comment",
    ),
    "time_null_keys": Case({**TIME, **INVALIDATE}, "select * from raw.people"),
    "time_null_second_key": Case(
        {**TIME, **INVALIDATE, "unique_key": ["id", "region"]}, "select * from raw.people"
    ),
    "time_null_single_key": Case({**TIME, "unique_key": "region"}, "from raw.people where id = 6"),
    "all": Case(ALL),
    "all_one_key": Case({**ALL, "unique_key": "k"}, ONE_KEY),
    "all_invalidate": Case({**ALL, **INVALIDATE}),
    "all_record": Case({**ALL, **RECORD}),
    "all_forever_record": Case({**ALL, **RECORD, **FOREVER, **NAMES}),
    "all_timed": Case({**ALL, "updated_at": "changed_at"}),
    "all_timed_record": Case({**ALL, **RECORD, "updated_at": "changed_at"}),
    "some": Case(SOME),
    "some_timed": Case({**SOME, "updated_at": "changed_at"}),
    "some_timed_invalidate": Case({**SOME, **INVALIDATE, "updated_at": "changed_at"}),
    "some_names": Case({**SOME, **NAMES, **RECORD}),
    "some_one": Case({**ALL, "check_cols": ["ID"], **INVALIDATE}),
    "some_lost": Case(SOME),
}
