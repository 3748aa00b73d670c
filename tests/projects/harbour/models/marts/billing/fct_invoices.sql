select call_id, 'x' as tariff from {{ ref('fct_calls') }}
join {{ ref('berth.fees') }} using (berth_id)
join {{ ref('tariff', v='alpha') }} on true
