select person_id, name from {{ ref('people') }}
