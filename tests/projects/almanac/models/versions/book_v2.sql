select 2 as id, '{{ var('region') }}' as region
