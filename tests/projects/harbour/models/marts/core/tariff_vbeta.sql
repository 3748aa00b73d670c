select 1 as tariff_id
