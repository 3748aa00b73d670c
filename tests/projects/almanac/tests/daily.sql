select * from {{ ref('daily') }} where n < 0 and d <= '{{ var("run_day") }}'
