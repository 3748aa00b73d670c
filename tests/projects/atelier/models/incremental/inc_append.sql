{{ config(incremental_strategy='append') }}
select id, kind, amount, batch, '{{ "later" if is_incremental() else "first" }}' as rendering
from {{ source('raw', 'events') }}
{% if is_incremental() %} where batch > (select max(batch) from {{ this }}) {% endif %}
