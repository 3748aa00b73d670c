{{ config(incremental_strategy='delete+insert', unique_key='id', on_schema_change='sync_all_columns') }}
select id, measure from {{ source('raw', 'narrow') }}
