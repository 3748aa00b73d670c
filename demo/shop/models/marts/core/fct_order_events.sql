{{
    config(
        materialized='incremental',
        incremental_strategy='append',
    )
}}

-- The log of what happened to orders. What is written stays; each night adds its own events.
with events as (

    select
        order_id,
        status as event,
        status_changed_at as occurred_at,
        extracted_on
    from {{ ref('stg_order_versions') }}
    where cast(status_changed_at as date) = extracted_on

)

select *
from events
{{ new_rows('extracted_on') }}
