{{ config(incremental_strategy='delete+insert', unique_key='kind') }}
select kind, id from {{ source('raw', 'events') }}
