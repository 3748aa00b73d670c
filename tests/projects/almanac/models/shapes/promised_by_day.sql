{{ config(materialized='incremental', contract={'enforced': true}, on_schema_change='append_new_columns') }} select cast('{{ var('run_day') }}' as varchar) as run_day, 1 as id
