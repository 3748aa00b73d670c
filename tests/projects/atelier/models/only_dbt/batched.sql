{{ config(
    materialized='incremental', incremental_strategy='microbatch',
    event_time='updated_at', begin='2026-01-01', batch_size='year', lookback=1
) }}
select id, kind, updated_at from {{ source('raw', 'events') }}
