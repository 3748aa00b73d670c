{{ config(incremental_strategy='merge', unique_key='kind') }}
-- two new rows of one key: which one should win?
select kind, id from {{ source('raw', 'events') }}
{% if not is_incremental() %} qualify row_number() over (partition by kind order by id) = 1 {% endif %}
