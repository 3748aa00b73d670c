select ship_id, name from {{ ref('stg_ships') }}
