{{ config(
    incremental_strategy='merge', unique_key=['id', 'day'], on_schema_change='sync_all_columns'
) }}
select *{% if is_incremental() %}, jsonb_build_object('new', id) as later{% endif %} from {{ ref('many_types') }}
