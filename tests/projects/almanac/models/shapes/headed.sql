{{ config(sql_header="create or replace temporary view heading as select 7 as n;") }}
select n from heading
