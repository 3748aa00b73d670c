{{ config(incremental_strategy='delete+insert', unique_key=['kind', 'note']) }}
-- `note` is null in places, and the pairs repeat
select kind, note, id, batch from {{ source('raw', 'events') }}
