{{ config(meta={'schedule': 'hourly'}) }} select max(n) as most from {{ ref('daily') }}
