select "scope", "watermark" from "shop"."dataops_watermarks" where "target" = ? and "partition" = ? and "cursor" = ?;

select 1 from "shop"."target" limit 1;

create temporary table "temp"."main"."target__stg_1" as (
select *
from (
select * from "shop"."source"
) as dataops_rows
where ("at" >= ?)
  or "at" is null
);

select max("at") from "temp"."main"."target__stg_1"
where "at" is not null and not (not isfinite("at"));

select count(*),
  count(case when "at" is null then 1 end),
  count(case when not isfinite("at") then 1 end)
from "temp"."main"."target__stg_1";

begin;

update "shop"."dataops_leases" set "expires_epoch" = 0, "fences" = "fences" + 1
where "target" = ? and "partition" = ? and "token" = ?;

insert into "shop"."target" ("id", "at")
select "id", "at" from "temp"."main"."target__stg_1"
except all
select "id", "at" from "shop"."target"
where "at" >= (select min("at") from "temp"."main"."target__stg_1");

update "shop"."dataops_watermarks" as w set "watermark" = n.mark, "run_id" = ?
from (select cast(? as varchar) as scope, cast(? as varchar) as mark) as n
where w."target" = ? and w."partition" = ? and w."cursor" = ? and w."scope" = n.scope
  and cast(w."watermark" as TIMESTAMP) < cast(n.mark as TIMESTAMP);

insert into "shop"."dataops_watermarks" ("target", "partition", "scope", "cursor", "watermark", "run_id")
select cast(? as varchar), cast(? as varchar), n.scope, cast(? as varchar), n.mark, cast(? as varchar)
from (select cast(? as varchar) as scope, cast(? as varchar) as mark) as n
where not exists (select 1 from "shop"."dataops_watermarks" as w
  where w."target" = ? and w."partition" = ? and w."cursor" = ? and w."scope" = n.scope);

commit;

drop table if exists "temp"."main"."target__stg_1";
