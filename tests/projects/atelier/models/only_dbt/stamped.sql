{{ config(materialized='stamped_table') }}
select person_id from {{ ref('people') }}
