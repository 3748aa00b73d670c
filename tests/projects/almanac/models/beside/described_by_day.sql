{{ config(materialized='incremental', persist_docs={'relation': true, 'columns': true},
          grants={'select': ['almanac_reader']}, unique_key='run_day') }}
select '{{ var("run_day") }}' as run_day
