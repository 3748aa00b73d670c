{{ config(fail_calc='sum(n)') }}
-- an error, not a verdict: the sum over no rows is null
select n from {{ ref('after_judged') }} where false
