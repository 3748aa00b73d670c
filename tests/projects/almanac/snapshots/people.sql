{% snapshot people_by_check %}
{{ config(target_schema='kept', strategy='check', unique_key='id', check_cols=['town', 'seen_on']) }}
select id, town, '{{ var("run_day") }}' as seen_on from {{ source('raw', 'people') }}
{% endsnapshot %}
{% snapshot people_by_time %}
{{ config(target_schema='kept', strategy='timestamp', unique_key='id', updated_at='updated_at',
          hard_deletes='invalidate') }}
select id, town, updated_at from {{ source('raw', 'people') }}
{% endsnapshot %}
