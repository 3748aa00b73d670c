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

update "shop"."target" as t set "n" = s."n"
from (select * from "pg_temp"."target__stg_1" where not ("id" is null)) as s
where t."id" = s."id";

insert into "shop"."target" ("id", "name", "n")
select "id", "name", "n" from (select * from "pg_temp"."target__stg_1" where not ("id" is null)) as s
where not exists (select 1 from "shop"."target" as t where t."id" = s."id");

update "shop"."target" as t set "n" = s."n"
from (select * from "pg_temp"."target__stg_1" where "id" is null) as s
where t."id" is not distinct from s."id";

insert into "shop"."target" ("id", "name", "n")
select "id", "name", "n" from (select * from "pg_temp"."target__stg_1" where "id" is null) as s
where not exists (select 1 from "shop"."target" as t where t."id" is not distinct from s."id");

commit;

drop table if exists "pg_temp"."target__stg_1";
