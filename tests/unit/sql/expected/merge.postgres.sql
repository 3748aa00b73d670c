create temporary table "pg_temp"."target__stg_1" as (
select * from "shop"."source"
);

select count(*),
  count(case when "id" is null then 1 end),
  count(distinct "id")
from "pg_temp"."target__stg_1";

select "id", count(*)
from "pg_temp"."target__stg_1"
group by "id"
having count(*) > 1
limit 3;

select "id", count(*)
from (
select distinct "id", "name", "n", "gone"
from (
  select *, rank() over (partition by "id" order by case when "n" is null then 1 else 0 end, "n" desc) as dataops_rank
  from "pg_temp"."target__stg_1"
) as ranked
where dataops_rank = 1
) as tied
group by "id"
having count(*) > 1
limit 3;

create temporary table "pg_temp"."target__stg_2" as (
select "id", "name", "n", "gone"
from (
  select *, row_number() over (partition by "id" order by case when "n" is null then 1 else 0 end, "n" desc) as dataops_rank
  from "pg_temp"."target__stg_1"
) as ranked
where dataops_rank = 1
);

begin;

update "shop"."dataops_leases" set "expires_epoch" = 0, "fences" = "fences" + 1
where "target" = %s and "partition" = %s and "token" = %s;

delete from "shop"."target" as t
where exists (select 1 from "pg_temp"."target__stg_2" as s where t."id" = s."id" and s."gone");

insert into "shop"."target" as t ("id", "name", "n")
select "id", "name", "n" from "pg_temp"."target__stg_2" as s
where not coalesce(s."gone", false)
order by "id"
on conflict ("id") do update set "name" = excluded."name", "n" = excluded."n";

commit;

drop table if exists "pg_temp"."target__stg_1";

drop table if exists "pg_temp"."target__stg_2";
