select id, kind, batch from {{ source('raw', 'events') }}
