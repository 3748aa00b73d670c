{{ config(materialized='ephemeral') }}
select id, kind, amount from {{ source('raw', 'events') }} -- a comment, with ' and "
