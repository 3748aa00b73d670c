select * from {{ ref('stg_calls') }} where berth_id is null
