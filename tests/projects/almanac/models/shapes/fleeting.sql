{{ config(materialized='ephemeral') }} select d, n, '{{ var('run_day') }}' as run_day from {{ source('raw', 'days') }}
