{{ config(
    incremental_strategy='merge', unique_key='id',
    incremental_predicates=["DBT_INTERNAL_DEST.kind != 'b'", "DBT_INTERNAL_SOURCE.amount < 1000"]
) }}
select id + 10000 * (kind = 'b' and batch > 0)::integer as id, kind, amount, batch
from {{ source('raw', 'events') }}
