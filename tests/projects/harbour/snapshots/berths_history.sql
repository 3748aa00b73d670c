{% snapshot berths_history %}
{{ config(strategy='timestamp', unique_key='berth_id', updated_at='updated_at', group='port_authority') }}
select * from {{ ref('stg_berths') }}
{% endsnapshot %}
