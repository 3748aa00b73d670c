create temporary table "temp"."main"."target__stg_1" as (
select * from "shop"."source"
);

select count(*),
  count(case when "id" is null then 1 end),
  count(distinct "id")
from "temp"."main"."target__stg_1";

begin;

update "shop"."dataops_leases" set "expires_epoch" = 0, "fences" = "fences" + 1
where "target" = ? and "partition" = ? and "token" = ?;

alter table "shop"."target" add column "colour" VARCHAR;

delete from "shop"."target" as t
where exists (select 1 from "temp"."main"."target__stg_1" as s where t."id" = s."id");

insert into "shop"."target" ("id", "name", "n", "colour")
select "id", "name", "n", "colour" from "temp"."main"."target__stg_1" as s;

commit;

drop table if exists "temp"."main"."target__stg_1";
