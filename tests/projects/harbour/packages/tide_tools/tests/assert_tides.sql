select * from {{ ref('stg_tides') }} where level < -10
