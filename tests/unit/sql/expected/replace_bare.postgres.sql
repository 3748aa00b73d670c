create temporary table "pg_temp"."target__stg_1" as (
select * from "shop"."source"
);

select count(*)
from "pg_temp"."target__stg_1";

begin;

update "shop"."dataops_leases" set "expires_epoch" = 0, "fences" = "fences" + 1
where "target" = %s and "partition" = %s and "token" = %s;

create table "shop"."target__stg_2" (like "shop"."target" including all excluding indexes);

insert into "shop"."target__stg_2" ("id", "name", "n")
select "id", "name", "n" from "pg_temp"."target__stg_1";

drop table "shop"."target";

alter table "shop"."target__stg_2" rename to "target";

commit;

drop table if exists "pg_temp"."target__stg_1";

drop table if exists "shop"."target__stg_2";
