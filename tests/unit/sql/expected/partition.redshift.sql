create table "shop"."target__stg_1" as (
select * from "shop"."source"
);

select count(*),
  count(case when case when cast("day" as timestamp without time zone) >= cast(? as timestamp without time zone) and cast("day" as timestamp without time zone) < cast(? as timestamp without time zone) then false else true end then 1 end)
from "shop"."target__stg_1";

begin;

update "shop"."dataops_leases__target" set "expires_epoch" = 0, "fences" = "fences" + 1
where "target" = ? and "partition" = ? and "token" = ?;

delete from "shop"."target"
where cast("day" as timestamp without time zone) >= cast(? as timestamp without time zone) and cast("day" as timestamp without time zone) < cast(? as timestamp without time zone);

insert into "shop"."target" ("day", "n")
select "day", "n" from "shop"."target__stg_1"
where cast("day" as timestamp without time zone) >= cast(? as timestamp without time zone) and cast("day" as timestamp without time zone) < cast(? as timestamp without time zone);

commit;

drop table if exists "shop"."target__stg_1";
