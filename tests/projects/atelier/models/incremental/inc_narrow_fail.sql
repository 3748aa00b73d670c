{{ config(incremental_strategy='append', on_schema_change='fail') }}
select id, label from {{ source('raw', 'narrow') }}
