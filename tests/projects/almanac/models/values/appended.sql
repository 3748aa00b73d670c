{{ config(materialized='incremental', incremental_strategy='append') }}
select '{{ var("run_day") }}' as run_day, '{{ "anew" if should_full_refresh() else "added" }}' as how
