{% snapshot snap_block_plain %}
{{ config(
    target_schema='old_history', unique_key='person_id', strategy='check',
    check_cols=['name', 'town'], invalidate_hard_deletes=true
) }}
select person_id, town, name from {{ source('raw', 'people') }} -- as it is
{% endsnapshot %}
