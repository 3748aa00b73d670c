{{ config(store_failures=true) }}
-- rows to keep, and a comment at the end
select kind, n from {{ ref('after_ephemeral') }} where n > 0 -- all of them
