create transient table "shop"."target__stg_1" as (
select * from "shop"."source"
);

select count(*),
  count(case when not ("op" is null and "before" is null and "after" is null) and case when cast("op" as varchar) in ('d', 'D', 'delete', 'DELETE', 'c', 'r', 'u', 'i', 'I', 'U', 'C', 'R', 'insert', 'update', 'upsert', 'INSERT', 'UPDATE', 'UPSERT') then false else true end then 1 end),
  count(case when not ("op" is null and "before" is null and "after" is null) and ("lsn" is null) then 1 end),
  count(case when not ("op" is null and "before" is null and "after" is null) and case when cast("op" as varchar) in ('d', 'D', 'delete', 'DELETE') then "before" is null else "after" is null end then 1 end)
from "shop"."target__stg_1";

select distinct f.key
from "shop"."target__stg_1", lateral flatten(input => parse_json(cast("before" as varchar))) as f;

select distinct f.key
from "shop"."target__stg_1", lateral flatten(input => parse_json(cast("after" as varchar))) as f;

select count(*),
  count(case when (false or cast(cast(parse_json(cast("after" as varchar))['id'] as varchar) as NUMBER(38,0)) <> cast(cast(parse_json(cast("after" as varchar))['id'] as varchar) as decimal(38, 0)) or (length(rtrim(split_part(cast(parse_json(cast("after" as varchar))['id'] as varchar), '.', 2), '0')) > 0 and lower(cast(parse_json(cast("after" as varchar))['id'] as varchar)) not like %s)) then 1 end),
  count(case when cast(cast(cast(parse_json(cast("after" as varchar))['name'] as varchar) as VARCHAR(16777216)) as varchar) <> rtrim(cast(parse_json(cast("after" as varchar))['name'] as varchar)) then 1 end),
  count(case when (false or cast(cast(parse_json(cast("before" as varchar))['id'] as varchar) as NUMBER(38,0)) <> cast(cast(parse_json(cast("before" as varchar))['id'] as varchar) as decimal(38, 0)) or (length(rtrim(split_part(cast(parse_json(cast("before" as varchar))['id'] as varchar), '.', 2), '0')) > 0 and lower(cast(parse_json(cast("before" as varchar))['id'] as varchar)) not like %s)) then 1 end)
from "shop"."target__stg_1";

create transient table "shop"."target__stg_2" as (
select cast(cast(parse_json(cast("after" as varchar))['id'] as varchar) as NUMBER(38,0)) as "id",
  cast(cast(parse_json(cast("after" as varchar))['name'] as varchar) as VARCHAR) as "name",
  "lsn" as "dataops_sequence", false as "dataops_deletes"
from "shop"."target__stg_1"
where not (cast("op" as varchar) in ('d', 'D', 'delete', 'DELETE')) and "after" is not null
union all
select cast(cast(parse_json(cast("before" as varchar))['id'] as varchar) as NUMBER(38,0)) as "id",
  cast(null as VARCHAR) as "name",
  "lsn" as "dataops_sequence", true
from "shop"."target__stg_1"
where "before" is not null and ((cast("op" as varchar) in ('d', 'D', 'delete', 'DELETE')) or ("after" is not null and (cast(parse_json(cast("before" as varchar))['id'] as varchar) is distinct from cast(parse_json(cast("after" as varchar))['id'] as varchar))))
);

select count(*),
  count(case when "id" is null then 1 end),
  count(case when "name" = '__debezium_unavailable_value' then 1 end)
from "shop"."target__stg_2";

create transient table "shop"."target__stg_3" as (
select "id", "name", "_sequence", "dataops_deleted"
from (
  select *, row_number() over (partition by "id" order by case when "_sequence" is null then 1 else 0 end, "_sequence" desc) as dataops_rank
  from (
select "id", "name", cast("dataops_sequence" as NUMBER(38,0)) as "_sequence",
  case when "dataops_deletes" then true else false end as "dataops_deleted"
from "shop"."target__stg_2"
) as prepared
) as ranked
where dataops_rank = 1
);

select 1 from "shop"."target"
where "_sequence" >= (select min("_sequence") from "shop"."target__stg_3") limit 1;

select 1 from "shop"."target__tombstones"
where "_sequence" >= (select min("_sequence") from "shop"."target__stg_3") limit 1;

select s."id", s."_sequence" from "shop"."target__stg_3" as s join "shop"."target__tombstones" as t
  on t."id" = s."id" and t."_sequence" = s."_sequence"
where not s."dataops_deleted"
limit 3;

select 1 from "shop"."target" limit 1;

delete from "shop"."target__stg_3" as s
where exists (select 1 from "shop"."target__tombstones" as t where t."id" = s."id"
  and t."_sequence" >= s."_sequence");

select count(*)
from "shop"."target__stg_3";

select "id", "_sequence", count(*)
from (
select "id", "name", cast("dataops_sequence" as NUMBER(38,0)) as "_sequence",
  case when "dataops_deletes" then true else false end as "dataops_deleted"
from "shop"."target__stg_2"
) as prepared
group by "id", "_sequence"
having count(*) > 1
limit 3;

begin;

update "shop"."dataops_leases__target" set "expires_epoch" = 0, "fences" = "fences" + 1
where "target" = %s and "partition" = %s and "token" = %s;

merge into "shop"."target" as t
using "shop"."target__stg_3" as s
on t."id" = s."id"
when matched and s."dataops_deleted" then delete
when matched then update set "name" = s."name", "_sequence" = s."_sequence"
when not matched and not coalesce(s."dataops_deleted", false) then insert ("id", "name", "_sequence") values (s."id", s."name", s."_sequence");

delete from "shop"."target__tombstones" as t
where exists (select 1 from "shop"."target__stg_3" as s where t."id" = s."id");

insert into "shop"."target__tombstones" ("id", "_sequence")
select "id", "_sequence" from "shop"."target__stg_3" as s
where s."dataops_deleted";

commit;

drop table if exists "shop"."target__stg_1";

drop table if exists "shop"."target__stg_2";

drop table if exists "shop"."target__stg_3";
