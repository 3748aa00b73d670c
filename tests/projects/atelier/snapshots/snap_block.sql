{% snapshot snap_block %}
{{ config(
    target_schema='old_history', unique_key="person_id || '-' || town", strategy='check',
    check_cols=['name'], invalidate_hard_deletes=true, updated_at='updated_at'
) }}
select person_id, town, name, updated_at from {{ source('raw', 'people') }}
{% endsnapshot %}
