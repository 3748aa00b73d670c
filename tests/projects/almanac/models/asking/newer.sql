{{ config(materialized='incremental', incremental_strategy='append') }}
select d, n from {{ source('raw', 'days') }}
{% if is_incremental() %}
where d > '{{ run_query("select max(d) from " ~ this).columns[0].values()[0] }}'
{% endif %}
