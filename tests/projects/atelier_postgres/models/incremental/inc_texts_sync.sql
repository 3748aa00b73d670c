{{ config(incremental_strategy='merge', unique_key='id', on_schema_change='sync_all_columns') }}
select
    id,
    kind::varchar({{ 40 if is_incremental() else 5 }}) as longer,
    note::varchar({{ 5 if is_incremental() else 40 }}) as shorter,
    {{ "kind::varchar(7)" if is_incremental() else "kind::text" }} as limited,
    amount::numeric({{ "14, 3" if is_incremental() else "12, 2" }}) as amount
from {{ source('raw', 'events') }}
