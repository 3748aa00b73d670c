select 1 as one where false
