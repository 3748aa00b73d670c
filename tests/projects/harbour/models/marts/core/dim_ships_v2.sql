select s.ship_id::integer as ship_id, s.name::varchar as name
from {{ ref('stg_ships') }} as s left join {{ ref('stg_crews') }} as c using (ship_id)
