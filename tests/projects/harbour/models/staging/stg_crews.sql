{{ config(alias='crews_clean', database=target.database) }}
select ship_id, captain from {{ source('register', 'crews') }}
