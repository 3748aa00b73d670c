select berth_id, depth from {{ ref('stg_berths') }}
