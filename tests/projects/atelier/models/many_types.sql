{{ config(materialized='table') }}
select
    id,
    updated_at::date as day,
    sum(id) over () as huge,
    amount::double / 3 as ratio,
    amount * 1.5 as scaled,
    [id, null] as list,
    {'a': kind, 'b c': id} as structure,
    map([kind], [id]) as mapping,
    interval 1 day as span,
    updated_at::timestamptz as instant,
    updated_at::time as clock,
    encode(kind) as blob,
    kind::varchar(3) as short,
    ('{"k": ' || id || '}')::json as document,
    id % 2 = 0 as even,
    null as nothing,
    '00000000-0000-0000-0000-00000000000' || id as text_id,
    ('00000000-0000-0000-0000-00000000000' || id)::uuid as uuid,
    (case when id > 2 then 'x' else 'y' end)::enum ('x', 'y') as choice,
    id::utinyint as tiny
from {{ source('raw', 'events') }}
