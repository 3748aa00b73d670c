{{ config(materialized='table', sql_header="set variable atelier_n = 3;") }}
select getvariable('atelier_n') as n
