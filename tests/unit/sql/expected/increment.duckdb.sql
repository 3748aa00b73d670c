select "scope", "watermark" from "shop"."dataops_watermarks" where "target" = ? and "partition" = ? and "cursor" = ?;

select 1 from "shop"."target" limit 1;

create temporary table "temp"."main"."target__stg_1" as (
select *
from (
select * from "shop"."source"
) as dataops_rows
where ("shop" = ? and "at" >= ?)
  or ("shop" = ? and "at" >= ?)
  or (case when ("shop" = ?) or ("shop" = ?) then false else true end)
  or "at" is null
);

select "shop", max("at") from "temp"."main"."target__stg_1"
where "at" is not null and not (not isfinite("at"))
group by "shop";

select count(*),
  count(case when "at" is null then 1 end),
  count(case when not isfinite("at") then 1 end),
  count(case when "id" is null then 1 end)
from "temp"."main"."target__stg_1";

select "id", count(*)
from "temp"."main"."target__stg_1"
group by "id"
having count(*) > 1
limit 3;

delete from "temp"."main"."target__stg_1" as s
where exists (select 1 from "shop"."target" as t where t."id" = s."id"
  and ((t."at" is not null and (s."at" is null or t."at" > s."at"))));

begin;

update "shop"."dataops_leases" set "expires_epoch" = 0, "fences" = "fences" + 1
where "target" = ? and "partition" = ? and "token" = ?;

delete from "shop"."target" as t
where exists (select 1 from "temp"."main"."target__stg_1" as s where t."id" = s."id");

insert into "shop"."target" ("id", "shop", "at")
select "id", "shop", "at" from "temp"."main"."target__stg_1" as s;

update "shop"."dataops_watermarks" as w set "watermark" = n.mark, "run_id" = ?
from (select cast(? as varchar) as scope, cast(? as varchar) as mark union all select cast(? as varchar) as scope, cast(? as varchar) as mark) as n
where w."target" = ? and w."partition" = ? and w."cursor" = ? and w."scope" = n.scope
  and cast(w."watermark" as TIMESTAMP) < cast(n.mark as TIMESTAMP);

insert into "shop"."dataops_watermarks" ("target", "partition", "scope", "cursor", "watermark", "run_id")
select cast(? as varchar), cast(? as varchar), n.scope, cast(? as varchar), n.mark, cast(? as varchar)
from (select cast(? as varchar) as scope, cast(? as varchar) as mark union all select cast(? as varchar) as scope, cast(? as varchar) as mark) as n
where not exists (select 1 from "shop"."dataops_watermarks" as w
  where w."target" = ? and w."partition" = ? and w."cursor" = ? and w."scope" = n.scope);

commit;

drop table if exists "temp"."main"."target__stg_1";
