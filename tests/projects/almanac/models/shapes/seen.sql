{{ config(materialized='view') }} select n from {{ ref('daily') }} where n > 2
