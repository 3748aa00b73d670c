{{ config(incremental_strategy='merge', unique_key='id') }}
select id, kind from {{ source('raw', 'events') }} where batch > 0
