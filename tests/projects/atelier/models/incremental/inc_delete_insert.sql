{{ config(incremental_strategy='delete+insert', unique_key='id') }}
select id, kind, amount, batch from {{ source('raw', 'events') }}
{% if is_incremental() %} where batch > (select max(batch) from {{ this }}) {% endif %}
