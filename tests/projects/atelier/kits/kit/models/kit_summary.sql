select origin, count(*) as people from {{ ref('kit', 'people') }} group by origin
