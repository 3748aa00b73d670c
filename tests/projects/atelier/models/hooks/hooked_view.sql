{{ config(
    materialized='view',
    post_hook="insert into werk.audit select 5, count(*)::varchar from werk.hooked_view"
) }}
select people from {{ ref('hooked') }}
