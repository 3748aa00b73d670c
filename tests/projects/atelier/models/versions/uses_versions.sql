select one.person_id, two.town, latest.name
from {{ ref('material', v=1) }} as one
inner join {{ ref('material', v=2) }} as two using (person_id)
inner join {{ ref('material') }} as latest using (person_id)
