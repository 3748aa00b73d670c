select {{ run_query('select 40 + 2').columns[0].values()[0] if execute else 0 }} as answer
