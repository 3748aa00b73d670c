{{ config(contract={'enforced': true}) }}
select 1 as id, cast('one' as varchar) as label
