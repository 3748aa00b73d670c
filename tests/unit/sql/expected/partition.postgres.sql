begin;

set local lock_timeout = 1000;

update "shop"."dataops_leases" set "token" = "token" + 1, "owner" = %s, "run_id" = %s, "try_number" = %s, "holder" = %s, "expires_epoch" = cast(extract(epoch from clock_timestamp()) as bigint) + %s
where "target" = %s and "partition" = %s
  and not ("owner" = %s and "run_id" = %s and "try_number" > %s)
  and ("expires_epoch" <= cast(extract(epoch from clock_timestamp()) as bigint) or ("owner" = %s and "run_id" = %s));

commit;

create temporary table "pg_temp"."target__stg_1" as (
select * from "shop"."source"
);

select count(*),
  count(case when case when cast("day" as timestamp without time zone) >= cast(%s as timestamp without time zone) and cast("day" as timestamp without time zone) < cast(%s as timestamp without time zone) then false else true end then 1 end)
from "pg_temp"."target__stg_1";

begin;

set local lock_timeout = 599987;

update "shop"."dataops_leases" set "expires_epoch" = 0, "fences" = "fences" + 1
where "target" = %s and "partition" = %s and "token" = %s;

delete from "shop"."target"
where cast("day" as timestamp without time zone) >= cast(%s as timestamp without time zone) and cast("day" as timestamp without time zone) < cast(%s as timestamp without time zone);

insert into "shop"."target" ("day", "n")
select "day", "n" from "pg_temp"."target__stg_1"
where cast("day" as timestamp without time zone) >= cast(%s as timestamp without time zone) and cast("day" as timestamp without time zone) < cast(%s as timestamp without time zone);

commit;

begin;

set local lock_timeout = 1000;

drop table if exists "pg_temp"."target__stg_1";

commit;
