select n, {{ almanac.stamp('stamped') }} as stamp from {{ ref('daily') }}
