{{ config(tags=['slow'], severity='warn') }}
select * from {{ ref('fct_calls') }} left join {{ ref('stg_ships') }} using (ship_id)
