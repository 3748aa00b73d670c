select person_id, {{ kit.shout('name') }} as name, town, updated_at from {{ source('raw', 'people') }}
