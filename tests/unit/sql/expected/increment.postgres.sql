select "scope", "watermark" from "shop"."dataops_watermarks" where "target" = %s and "partition" = %s and "cursor" = %s;

select 1 from "shop"."target" limit 1;

create temporary table "pg_temp"."target__stg_1" as (
select *
from (
select * from "shop"."source"
) as dataops_rows
where ("shop" = %s and "at" >= %s)
  or ("shop" = %s and "at" >= %s)
  or (case when ("shop" = %s) or ("shop" = %s) then false else true end)
  or "at" is null
);

select "shop", max("at") from "pg_temp"."target__stg_1"
where "at" is not null and not (not isfinite("at"))
group by "shop";

select count(*),
  count(case when "at" is null then 1 end),
  count(case when not isfinite("at") then 1 end),
  count(case when "id" is null then 1 end)
from "pg_temp"."target__stg_1";

select "id", count(*)
from "pg_temp"."target__stg_1"
group by "id"
having count(*) > 1
limit 3;

delete from "pg_temp"."target__stg_1" as s
where exists (select 1 from "shop"."target" as t where t."id" = s."id"
  and ((t."at" is not null and (s."at" is null or t."at" > s."at"))));

begin;

update "shop"."dataops_leases" set "expires_epoch" = 0, "fences" = "fences" + 1
where "target" = %s and "partition" = %s and "token" = %s;

delete from "shop"."target" as t
where exists (select 1 from "pg_temp"."target__stg_1" as s where t."id" = s."id");

insert into "shop"."target" ("id", "shop", "at")
select "id", "shop", "at" from "pg_temp"."target__stg_1" as s;

update "shop"."dataops_watermarks" as w set "watermark" = n.mark, "run_id" = %s
from (select cast(%s as text) as scope, cast(%s as text) as mark union all select cast(%s as text) as scope, cast(%s as text) as mark) as n
where w."target" = %s and w."partition" = %s and w."cursor" = %s and w."scope" = n.scope
  and cast(w."watermark" as timestamp without time zone) < cast(n.mark as timestamp without time zone);

insert into "shop"."dataops_watermarks" ("target", "partition", "scope", "cursor", "watermark", "run_id")
select cast(%s as text), cast(%s as text), n.scope, cast(%s as text), n.mark, cast(%s as text)
from (select cast(%s as text) as scope, cast(%s as text) as mark union all select cast(%s as text) as scope, cast(%s as text) as mark) as n
where not exists (select 1 from "shop"."dataops_watermarks" as w
  where w."target" = %s and w."partition" = %s and w."cursor" = %s and w."scope" = n.scope);

commit;

drop table if exists "pg_temp"."target__stg_1";
