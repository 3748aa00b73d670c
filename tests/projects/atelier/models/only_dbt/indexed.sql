{{ config(materialized='table', indexes=[{'columns': ['person_id'], 'unique': true}]) }}
select person_id from {{ ref('people') }}
