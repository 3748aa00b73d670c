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

delete from "shop"."target" as t
where exists (select 1 from "pg_temp"."target__stg_1" as s where t."id" = s."id" and (t."name" is distinct from s."name" or t."n" is distinct from s."n"));

insert into "shop"."target" ("id", "name", "n")
select "id", "name", "n" from "pg_temp"."target__stg_1" as s
where not exists (select 1 from "shop"."target" as t where t."id" = s."id");

commit;

drop table if exists "pg_temp"."target__stg_1";
