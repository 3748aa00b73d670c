select "scope", "watermark" from "shop"."dataops_watermarks__target" where "target" = %s and "partition" = %s and "cursor" = %s;

select 1 from "shop"."target" limit 1;

create transient table "shop"."target__stg_1" as (
select *
from (
select * from "shop"."source"
) as dataops_rows
where ("shop" = %s and "at" >= %s)
  or ("shop" = %s and "at" >= %s)
  or (case when ("shop" = %s) or ("shop" = %s) then false else true end)
  or "at" is null
);

select "shop", max("at") from "shop"."target__stg_1"
where "at" is not null
group by "shop";

select count(*),
  count(case when "at" is null then 1 end),
  count(case when false then 1 end),
  count(case when "id" is null then 1 end)
from "shop"."target__stg_1";

select "id", count(*)
from "shop"."target__stg_1"
group by "id"
having count(*) > 1
limit 3;

delete from "shop"."target__stg_1" as s
where exists (select 1 from "shop"."target" as t where t."id" = s."id"
  and ((t."at" is not null and (s."at" is null or t."at" > s."at"))));

begin;

update "shop"."dataops_leases__target" set "expires_epoch" = 0, "fences" = "fences" + 1
where "target" = %s and "partition" = %s and "token" = %s;

merge into "shop"."target" as t
using "shop"."target__stg_1" as s
on t."id" = s."id"
when matched then update set "shop" = s."shop", "at" = s."at"
when not matched then insert ("id", "shop", "at") values (s."id", s."shop", s."at");

update "shop"."dataops_watermarks__target" as w set "watermark" = n.mark, "run_id" = %s
from (select cast(%s as varchar) as scope, cast(%s as varchar) as mark union all select cast(%s as varchar) as scope, cast(%s as varchar) as mark) as n
where w."target" = %s and w."partition" = %s and w."cursor" = %s and w."scope" = n.scope
  and cast(w."watermark" as TIMESTAMP_NTZ) < cast(n.mark as TIMESTAMP_NTZ);

insert into "shop"."dataops_watermarks__target" ("target", "partition", "scope", "cursor", "watermark", "run_id")
select cast(%s as varchar), cast(%s as varchar), n.scope, cast(%s as varchar), n.mark, cast(%s as varchar)
from (select cast(%s as varchar) as scope, cast(%s as varchar) as mark union all select cast(%s as varchar) as scope, cast(%s as varchar) as mark) as n
where not exists (select 1 from "shop"."dataops_watermarks__target" as w
  where w."target" = %s and w."partition" = %s and w."cursor" = %s and w."scope" = n.scope);

commit;

drop table if exists "shop"."target__stg_1";
