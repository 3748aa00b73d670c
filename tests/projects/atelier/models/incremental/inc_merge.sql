{{ config(incremental_strategy='merge', unique_key='id') }}
select id, kind, amount, note, updated_at, batch from {{ source('raw', 'events') }}
{% if is_incremental() %} where batch > (select max(batch) from {{ this }}) {% endif %}
