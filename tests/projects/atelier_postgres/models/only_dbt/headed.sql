{{ config(materialized='table', sql_header="set atelier.n = '3';") }}
select current_setting('atelier.n') as n
