{{ config(incremental_strategy='append') }}
-- texts that outgrow their column
select
    id,
    kind::varchar({{ 40 if is_incremental() else 5 }}) as longer,
    note::varchar({{ 5 if is_incremental() else 40 }}) as shorter,
    {{ "note" if is_incremental() else "note::varchar(9)" }} as unlimited,
    batch
from {{ source('raw', 'events') }}
