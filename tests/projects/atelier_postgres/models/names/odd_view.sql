{{ config(alias='select', schema='Ober Fläche') }}
select "a column", count(*) as "count" from {{ ref('odd_names') }} group by "a column"
