select "scope", "watermark" from "shop"."dataops_watermarks__target" where "target" = %s and "partition" = %s and "cursor" = %s;

select 1 from "shop"."target" limit 1;

create transient table "shop"."target__stg_1" as (
select *
from (
select * from "shop"."source"
) as dataops_rows
where ("at" >= %s)
  or "at" is null
);

select max("at") from "shop"."target__stg_1"
where "at" is not null;

select count(*),
  count(case when "at" is null then 1 end),
  count(case when false then 1 end)
from "shop"."target__stg_1";

begin;

update "shop"."dataops_leases__target" set "expires_epoch" = 0, "fences" = "fences" + 1
where "target" = %s and "partition" = %s and "token" = %s;

insert into "shop"."target" ("id", "at")
select "id", "at" from (
  select "id", "at", row_number() over (partition by "id", "at" order by "id") as dataops_copy
  from (select "id" as "id", "at" as "at" from "shop"."target__stg_1") as staged
  except
  select "id", "at", row_number() over (partition by "id", "at" order by "id") as dataops_copy
  from "shop"."target"
where "at" >= (select min("at") from "shop"."target__stg_1")
) as missing;

update "shop"."dataops_watermarks__target" as w set "watermark" = n.mark, "run_id" = %s
from (select cast(%s as varchar) as scope, cast(%s as varchar) as mark) as n
where w."target" = %s and w."partition" = %s and w."cursor" = %s and w."scope" = n.scope
  and cast(w."watermark" as TIMESTAMP_NTZ) < cast(n.mark as TIMESTAMP_NTZ);

insert into "shop"."dataops_watermarks__target" ("target", "partition", "scope", "cursor", "watermark", "run_id")
select cast(%s as varchar), cast(%s as varchar), n.scope, cast(%s as varchar), n.mark, cast(%s as varchar)
from (select cast(%s as varchar) as scope, cast(%s as varchar) as mark) as n
where not exists (select 1 from "shop"."dataops_watermarks__target" as w
  where w."target" = %s and w."partition" = %s and w."cursor" = %s and w."scope" = n.scope);

commit;

drop table if exists "shop"."target__stg_1";
