{{ config(
    materialized='incremental', incremental_strategy='merge', unique_key='id',
    alias='Mixed Case.dot', schema='Ober Fläche'
) }}
select id, "a column", "Größe", "semi;colon" from {{ source('raw', 'odd') }}
