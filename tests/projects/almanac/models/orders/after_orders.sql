select 'a folder and a model have one name' as note from {{ ref('orders') }}
