{{ config(incremental_strategy='delete+insert', unique_key='kind') }}
-- reads the table it writes to
select kind, sum(amount) as amount
from (
    select kind, amount from {{ source('raw', 'events') }}
    {% if is_incremental() %} union all select kind, amount from {{ this }} {% endif %}
)
group by kind
