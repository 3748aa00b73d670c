select berth_id, depth from {{ source('quay', 'berths') }}
