select v1.id as old, v2.id as new from {{ ref('book', v=1) }} as v1 cross join {{ ref('book') }} as v2
