select ship_id, {{ tidy('name') }} as name from {{ source('register', 'ships') }}
