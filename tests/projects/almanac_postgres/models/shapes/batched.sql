{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='at',
          batch_size='day', begin='2027-02-20', lookback=2, unique_key=['at', 'n']) }}
select at, n from {{ ref('hourly_feed') }}
