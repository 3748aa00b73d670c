create temporary table "pg_temp"."target__stg_1" as (
select * from "shop"."source"
);

select count(*)
from "pg_temp"."target__stg_1";

select count(*)
from (
select distinct "id", "name", "n"
from "pg_temp"."target__stg_1"
) as once;

begin;

update "shop"."dataops_leases" set "expires_epoch" = 0, "fences" = "fences" + 1
where "target" = %s and "partition" = %s and "token" = %s;

insert into "shop"."target" ("id", "name", "n")
select "id", "name", "n" from "pg_temp"."target__stg_1"
except
select "id", "name", "n" from "shop"."target";

commit;

drop table if exists "pg_temp"."target__stg_1";
