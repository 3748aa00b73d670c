{{ config(
    incremental_strategy='delete+insert', unique_key='id',
    incremental_predicates=["kind != 'b'", "batch < 99"]
) }}
select id, kind, amount, batch from {{ source('raw', 'events') }}
