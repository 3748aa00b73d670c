create temporary table "pg_temp"."target__stg_1" as (
select * from "shop"."source"
);

select count(*),
  count(case when "id" is null then 1 end)
from "pg_temp"."target__stg_1";

select "id", count(*)
from "pg_temp"."target__stg_1"
group by "id"
having count(*) > 1
limit 3;

create temporary table "pg_temp"."target__stg_2" as (
select distinct "id", "name", "n"
from "pg_temp"."target__stg_1"
);

select "id", count(*)
from "pg_temp"."target__stg_2"
group by "id"
having count(*) > 1
limit 3;

begin;

update "shop"."dataops_leases" set "expires_epoch" = 0, "fences" = "fences" + 1
where "target" = %s and "partition" = %s and "token" = %s;

insert into "shop"."target" as t ("id", "name", "n")
select "id", "name", "n" from "pg_temp"."target__stg_2" as s
order by "id"
on conflict ("id") do nothing;

commit;

drop table if exists "pg_temp"."target__stg_1";

drop table if exists "pg_temp"."target__stg_2";
