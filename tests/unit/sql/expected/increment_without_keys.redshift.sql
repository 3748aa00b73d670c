select "scope", "watermark" from "shop"."dataops_watermarks__target" where "target" = ? and "partition" = ? and "cursor" = ?;

select 1 from "shop"."target" limit 1;

create table "shop"."target__stg_1" as (
select *
from (
select * from "shop"."source"
) as dataops_rows
where ("at" >= ?)
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
where "target" = ? and "partition" = ? and "token" = ?;

insert into "shop"."target" ("id", "at")
select "id", "at" from (
  select "id", "at", row_number() over (partition by "id", "at" order by "id") as dataops_copy
  from (select "id" as "id", "at" as "at" from "shop"."target__stg_1") as staged
  except
  select "id", "at", row_number() over (partition by "id", "at" order by "id") as dataops_copy
  from "shop"."target"
where "at" >= (select min("at") from "shop"."target__stg_1")
) as missing;

update "shop"."dataops_watermarks__target" as w set "watermark" = n.mark, "run_id" = ?
from (select cast(? as varchar(65535)) as scope, cast(? as varchar(65535)) as mark) as n
where w."target" = ? and w."partition" = ? and w."cursor" = ? and w."scope" = n.scope
  and cast(w."watermark" as timestamp without time zone) < cast(n.mark as timestamp without time zone);

insert into "shop"."dataops_watermarks__target" ("target", "partition", "scope", "cursor", "watermark", "run_id")
select cast(? as varchar(65535)), cast(? as varchar(65535)), n.scope, cast(? as varchar(65535)), n.mark, cast(? as varchar(65535))
from (select cast(? as varchar(65535)) as scope, cast(? as varchar(65535)) as mark) as n
where not exists (select 1 from "shop"."dataops_watermarks__target" as w
  where w."target" = ? and w."partition" = ? and w."cursor" = ? and w."scope" = n.scope);

commit;

drop table if exists "shop"."target__stg_1";
