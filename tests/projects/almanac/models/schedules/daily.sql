{{ config(meta={'schedule': 'daily'}) }} select d, sum(n) as n from {{ ref('hourly_feed') }} group by d
