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
  count(case when "id" is null then 1 end),
  count(distinct "id")
from "pg_temp"."target__stg_1";

begin;

set local lock_timeout = 599997;

update "shop"."dataops_leases" set "expires_epoch" = 0, "fences" = "fences" + 1
where "target" = %s and "partition" = %s and "token" = %s;

savepoint dataops_wait;

set local lock_timeout = 200;

alter table "shop"."target" add column "colour" character varying;

set local lock_timeout = 599994;

release savepoint dataops_wait;

insert into "shop"."target" as t ("id", "name", "n", "colour")
select "id", "name", "n", "colour" from "pg_temp"."target__stg_1" as s
order by "id"
on conflict ("id") do update set "name" = excluded."name", "n" = excluded."n", "colour" = excluded."colour";

commit;

begin;

set local lock_timeout = 1000;

drop table if exists "pg_temp"."target__stg_1";

commit;
