select d, n from days where d <= '{{ var("run_day") }}'
