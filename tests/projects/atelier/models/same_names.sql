{{ config(materialized='table') }}
select ours.person_id, ours.name, theirs.origin
from {{ ref('people') }} as ours
inner join {{ ref('kit', 'people') }} as theirs using (person_id)
