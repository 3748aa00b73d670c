{{ config(meta={'schedule': 'hourly'}, event_time='at') }}
select d, n, cast(d as timestamp) as at from {{ source('raw', 'days') }}
