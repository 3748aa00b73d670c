create temporary table "temp"."main"."target__stg_1" as (
select * from "shop"."source"
);

select count(*),
  count(case when case when cast("day" as TIMESTAMP) >= cast(? as TIMESTAMP) and cast("day" as TIMESTAMP) < cast(? as TIMESTAMP) then false else true end then 1 end)
from "temp"."main"."target__stg_1";

begin;

update "shop"."dataops_leases" set "expires_epoch" = 0, "fences" = "fences" + 1
where "target" = ? and "partition" = ? and "token" = ?;

delete from "shop"."target"
where cast("day" as TIMESTAMP) >= cast(? as TIMESTAMP) and cast("day" as TIMESTAMP) < cast(? as TIMESTAMP);

insert into "shop"."target" ("day", "n")
select "day", "n" from "temp"."main"."target__stg_1"
where cast("day" as TIMESTAMP) >= cast(? as TIMESTAMP) and cast("day" as TIMESTAMP) < cast(? as TIMESTAMP);

commit;

drop table if exists "temp"."main"."target__stg_1";
