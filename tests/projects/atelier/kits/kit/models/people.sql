select person_id, 'kit' as origin from {{ source('raw', 'people') }}
