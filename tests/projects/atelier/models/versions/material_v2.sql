{{ config(materialized='table') }}
select person_id, name, town from {{ ref('people') }}
