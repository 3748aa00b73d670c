{{ config(
    materialized='incremental',
    pre_hook="insert into werk.audit values (6, 'incremental')",
    post_hook="delete from werk.hooked_incremental where id = 1"
) }}
select id from {{ source('raw', 'events') }}, {{ ref('hooked') }}
{% if is_incremental() %} where id > (select max(id) from {{ this }}) {% endif %}
