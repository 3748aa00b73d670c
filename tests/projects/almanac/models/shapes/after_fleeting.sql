select count(*) as days, max(run_day) as run_day from {{ ref('fleeting') }}
