{{ config(incremental_strategy='append', full_refresh=true) }}
select id, batch from {{ source('raw', 'events') }}
{% if is_incremental() %} where false {% endif %}
