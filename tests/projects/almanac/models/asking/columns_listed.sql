{% set found = adapter.get_columns_in_relation(source('raw', 'people')) %}
select '{{ found | map(attribute="name") | join(" ") }}' as columns
