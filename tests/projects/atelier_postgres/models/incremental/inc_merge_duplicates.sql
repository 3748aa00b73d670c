{{ config(incremental_strategy='merge', unique_key='kind') }}
-- two new rows of one key: which one should win?
select {% if not is_incremental() %} distinct on (kind) {% endif %} kind, id
from {{ source('raw', 'events') }}
{% if not is_incremental() %} order by kind, id {% endif %}
