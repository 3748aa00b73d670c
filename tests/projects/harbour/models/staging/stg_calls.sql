select call_id, ship_id, berth_id, arrived_at from {{ source('quay', 'calls') }}
