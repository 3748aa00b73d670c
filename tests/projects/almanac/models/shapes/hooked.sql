{{ config(post_hook="insert into {{ this }} values ({{ 1 + 1 }}, '{{ var('run_day') }}')") }}
select 1 as n, 'x' as run_day
