create temporary table "pg_temp"."target__stg_1" as (
select * from "shop"."source"
);

select count(*),
  count(case when "id" is null then 1 end),
  count(distinct "id")
from "pg_temp"."target__stg_1";

begin;

update "shop"."dataops_leases" set "expires_epoch" = 0, "fences" = "fences" + 1
where "target" = %s and "partition" = %s and "token" = %s;

alter table "shop"."target" add column "colour" character varying;

insert into "shop"."target" as t ("id", "name", "n", "colour")
select "id", "name", "n", "colour" from "pg_temp"."target__stg_1" as s
order by "id"
on conflict ("id") do update set "name" = excluded."name", "n" = excluded."n", "colour" = excluded."colour";

commit;

drop table if exists "pg_temp"."target__stg_1";
