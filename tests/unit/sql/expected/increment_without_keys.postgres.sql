select "scope", "watermark" from "shop"."dataops_watermarks" where "target" = %s and "partition" = %s and "cursor" = %s;

select 1 from "shop"."target" limit 1;

create temporary table "pg_temp"."target__stg_1" as (
select *
from (
select * from "shop"."source"
) as dataops_rows
where ("at" >= %s)
  or "at" is null
);

select max("at") from "pg_temp"."target__stg_1"
where "at" is not null and not (not isfinite("at"));

select count(*),
  count(case when "at" is null then 1 end),
  count(case when not isfinite("at") then 1 end)
from "pg_temp"."target__stg_1";

begin;

update "shop"."dataops_leases" set "expires_epoch" = 0, "fences" = "fences" + 1
where "target" = %s and "partition" = %s and "token" = %s;

insert into "shop"."target" ("id", "at")
select "id", "at" from "pg_temp"."target__stg_1"
except all
select "id", "at" from "shop"."target"
where "at" >= (select min("at") from "pg_temp"."target__stg_1");

update "shop"."dataops_watermarks" as w set "watermark" = n.mark, "run_id" = %s
from (select cast(%s as text) as scope, cast(%s as text) as mark) as n
where w."target" = %s and w."partition" = %s and w."cursor" = %s and w."scope" = n.scope
  and cast(w."watermark" as timestamp without time zone) < cast(n.mark as timestamp without time zone);

insert into "shop"."dataops_watermarks" ("target", "partition", "scope", "cursor", "watermark", "run_id")
select cast(%s as text), cast(%s as text), n.scope, cast(%s as text), n.mark, cast(%s as text)
from (select cast(%s as text) as scope, cast(%s as text) as mark) as n
where not exists (select 1 from "shop"."dataops_watermarks" as w
  where w."target" = %s and w."partition" = %s and w."cursor" = %s and w."scope" = n.scope);

commit;

drop table if exists "pg_temp"."target__stg_1";
