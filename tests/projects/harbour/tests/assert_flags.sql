select * from {{ ref('flags') }} where code is null
