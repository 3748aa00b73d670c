select row_number() over (order by n) as place, n, 7 / 2 as half from (values (2), (null), (1)) as t(n)
