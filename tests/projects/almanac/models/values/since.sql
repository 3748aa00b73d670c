select d, n, region from {{ ref('day_by_day') }} where d >= '{{ var("run_day") }}'
