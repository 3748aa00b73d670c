create transient table "shop"."target__stg_1" as (
select * from "shop"."source"
);

select count(*),
  count(case when case when cast("day" as TIMESTAMP_NTZ) >= cast(%s as TIMESTAMP_NTZ) and cast("day" as TIMESTAMP_NTZ) < cast(%s as TIMESTAMP_NTZ) then false else true end then 1 end)
from "shop"."target__stg_1";

begin;

update "shop"."dataops_leases__target" set "expires_epoch" = 0, "fences" = "fences" + 1
where "target" = %s and "partition" = %s and "token" = %s;

delete from "shop"."target"
where cast("day" as TIMESTAMP_NTZ) >= cast(%s as TIMESTAMP_NTZ) and cast("day" as TIMESTAMP_NTZ) < cast(%s as TIMESTAMP_NTZ);

insert into "shop"."target" ("day", "n")
select "day", "n" from "shop"."target__stg_1"
where cast("day" as TIMESTAMP_NTZ) >= cast(%s as TIMESTAMP_NTZ) and cast("day" as TIMESTAMP_NTZ) < cast(%s as TIMESTAMP_NTZ);

commit;

drop table if exists "shop"."target__stg_1";
