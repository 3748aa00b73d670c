{{ config(materialized='table', contract={'enforced': true}) }}
select cast(person_id as integer) as person_id from {{ ref('people') }}
