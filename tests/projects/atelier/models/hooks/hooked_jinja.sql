{{ config(materialized='table', post_hook="insert into {{ this }} values (-1)") }}
select person_id from {{ ref('people') }}
