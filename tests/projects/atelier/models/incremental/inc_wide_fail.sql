{{ config(incremental_strategy='append', on_schema_change='fail') }}
select * from {{ source('raw', 'wide') }}
