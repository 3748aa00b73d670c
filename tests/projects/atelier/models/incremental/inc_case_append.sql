{{ config(incremental_strategy='append') }}
{% if is_incremental() %}
select id, kind as "KIND", batch from {{ source('raw', 'events') }}
{% else %}
select id as "Id", kind as "Kind", batch from {{ source('raw', 'events') }}
{% endif %}
