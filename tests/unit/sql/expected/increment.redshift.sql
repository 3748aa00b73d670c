select "scope", "watermark" from "shop"."dataops_watermarks__target" where "target" = ? and "partition" = ? and "cursor" = ?;

select 1 from "shop"."target" limit 1;

create table "shop"."target__stg_1" as (
select *
from (
select * from "shop"."source"
) as dataops_rows
where ("shop" = ? and "at" >= ?)
  or ("shop" = ? and "at" >= ?)
  or (case when ("shop" = ?) or ("shop" = ?) then false else true end)
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

delete from "shop"."target__stg_1"
where exists (select 1 from "shop"."target" as t where t."id" = "shop"."target__stg_1"."id"
  and ((t."at" is not null and ("shop"."target__stg_1"."at" is null or t."at" > "shop"."target__stg_1"."at"))));

begin;

update "shop"."dataops_leases__target" set "expires_epoch" = 0, "fences" = "fences" + 1
where "target" = ? and "partition" = ? and "token" = ?;

delete from "shop"."target"
where exists (select 1 from "shop"."target__stg_1" as s where "shop"."target"."id" = s."id");

insert into "shop"."target" ("id", "shop", "at")
select "id", "shop", "at" from "shop"."target__stg_1" as s;

update "shop"."dataops_watermarks__target" as w set "watermark" = n.mark, "run_id" = ?
from (select cast(? as varchar(65535)) as scope, cast(? as varchar(65535)) as mark union all select cast(? as varchar(65535)) as scope, cast(? as varchar(65535)) as mark) as n
where w."target" = ? and w."partition" = ? and w."cursor" = ? and w."scope" = n.scope
  and cast(w."watermark" as timestamp without time zone) < cast(n.mark as timestamp without time zone);

insert into "shop"."dataops_watermarks__target" ("target", "partition", "scope", "cursor", "watermark", "run_id")
select cast(? as varchar(65535)), cast(? as varchar(65535)), n.scope, cast(? as varchar(65535)), n.mark, cast(? as varchar(65535))
from (select cast(? as varchar(65535)) as scope, cast(? as varchar(65535)) as mark union all select cast(? as varchar(65535)) as scope, cast(? as varchar(65535)) as mark) as n
where not exists (select 1 from "shop"."dataops_watermarks__target" as w
  where w."target" = ? and w."partition" = ? and w."cursor" = ? and w."scope" = n.scope);

commit;

drop table if exists "shop"."target__stg_1";
