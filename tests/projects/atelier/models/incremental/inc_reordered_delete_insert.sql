{{ config(incremental_strategy='delete+insert', unique_key='id') }}
{% if is_incremental() %}
select batch, kind, id from {{ source('raw', 'events') }}
{% else %}
select id, kind, batch from {{ source('raw', 'events') }}
{% endif %}
