{{ config(persist_docs={'relation': true, 'columns': true}, grants={'select': ['almanac_reader']}) }}
select 1 as id, 'x' as note
