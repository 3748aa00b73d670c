select tide_id, {{ tide_level('level') }} as level from {{ source('tides', 'levels') }}
