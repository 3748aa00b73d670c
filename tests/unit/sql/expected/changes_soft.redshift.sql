create table "shop"."target__stg_1" as (
select * from "shop"."source"
);

select count(*),
  count(case when true and case when cast("op" as varchar(65535)) in ('d', 'D', 'delete', 'DELETE', 'c', 'r', 'u', 'i', 'I', 'U', 'C', 'R', 'insert', 'update', 'upsert', 'INSERT', 'UPDATE', 'UPSERT') then false else true end then 1 end),
  count(case when true and ("lsn" is null) then 1 end)
from "shop"."target__stg_1";

select count(*),
  count(case when "id" is null then 1 end)
from "shop"."target__stg_1";

create table "shop"."target__stg_2" as (
select "id", "name", "_sequence", "dataops_deleted"
from (
  select *, row_number() over (partition by "id" order by case when "_sequence" is null then 1 else 0 end, "_sequence" desc) as dataops_rank
  from (select * from (
select "id", "name", cast("lsn" as bigint) as "_sequence",
  case when cast("op" as varchar(65535)) in ('d', 'D', 'delete', 'DELETE') then true else false end as "dataops_deleted"
from "shop"."target__stg_1"
) as prepared where not "dataops_deleted") as carrying
) as ranked
where dataops_rank = 1
);

select 1 from "shop"."target"
where "_sequence" >= (select min("_sequence") from "shop"."target__stg_2") limit 1;

select s."id", s."_sequence" from "shop"."target__stg_2" as s join "shop"."target" as t
  on t."id" = s."id" and t."_sequence" = s."_sequence"
where (s."dataops_deleted" and not coalesce(t."gone", false)) or (not s."dataops_deleted" and (coalesce(t."gone", false) or (t."name" <> s."name" or (t."name" is null and s."name" is not null) or (t."name" is not null and s."name" is null))))
limit 3;

delete from "shop"."target__stg_2"
where exists (select 1 from "shop"."target" as t where t."id" = "shop"."target__stg_2"."id"
  and t."_sequence" >= "shop"."target__stg_2"."_sequence");

select 1 from "shop"."target__tombstones"
where "_sequence" >= (select min("_sequence") from "shop"."target__stg_2") limit 1;

select s."id", s."_sequence" from "shop"."target__stg_2" as s join "shop"."target__tombstones" as t
  on t."id" = s."id" and t."_sequence" = s."_sequence"
where not s."dataops_deleted"
limit 3;

select 1 from "shop"."target" limit 1;

delete from "shop"."target__stg_2"
where exists (select 1 from "shop"."target__tombstones" as t where t."id" = "shop"."target__stg_2"."id"
  and t."_sequence" >= "shop"."target__stg_2"."_sequence");

create table "shop"."target__stg_3" as (
select "id", "name", "_sequence", "dataops_deleted"
from (
  select *, row_number() over (partition by "id" order by case when "_sequence" is null then 1 else 0 end, "_sequence" desc) as dataops_rank
  from (
select "id", "name", cast("lsn" as bigint) as "_sequence",
  case when cast("op" as varchar(65535)) in ('d', 'D', 'delete', 'DELETE') then true else false end as "dataops_deleted"
from "shop"."target__stg_1"
) as prepared
) as ranked
where dataops_rank = 1
);

select 1 from "shop"."target"
where "_sequence" >= (select min("_sequence") from "shop"."target__stg_3") limit 1;

select s."id", s."_sequence" from "shop"."target__stg_3" as s join "shop"."target" as t
  on t."id" = s."id" and t."_sequence" = s."_sequence"
where (s."dataops_deleted" and not coalesce(t."gone", false)) or (not s."dataops_deleted" and (coalesce(t."gone", false) or (t."name" <> s."name" or (t."name" is null and s."name" is not null) or (t."name" is not null and s."name" is null))))
limit 3;

delete from "shop"."target__stg_3"
where exists (select 1 from "shop"."target" as t where t."id" = "shop"."target__stg_3"."id"
  and t."_sequence" >= "shop"."target__stg_3"."_sequence");

select 1 from "shop"."target__tombstones"
where "_sequence" >= (select min("_sequence") from "shop"."target__stg_3") limit 1;

select s."id", s."_sequence" from "shop"."target__stg_3" as s join "shop"."target__tombstones" as t
  on t."id" = s."id" and t."_sequence" = s."_sequence"
where not s."dataops_deleted"
limit 3;

select 1 from "shop"."target" limit 1;

delete from "shop"."target__stg_3"
where exists (select 1 from "shop"."target__tombstones" as t where t."id" = "shop"."target__stg_3"."id"
  and t."_sequence" >= "shop"."target__stg_3"."_sequence");

select count(*)
from "shop"."target__stg_3";

select "id", "_sequence", count(*)
from (
select "id", "name", cast("lsn" as bigint) as "_sequence",
  case when cast("op" as varchar(65535)) in ('d', 'D', 'delete', 'DELETE') then true else false end as "dataops_deleted"
from "shop"."target__stg_1"
) as prepared
group by "id", "_sequence"
having count(*) > 1
limit 3;

create table "shop"."target__stg_4" as (
select *, false as "gone" from "shop"."target__stg_2"
);

begin;

update "shop"."dataops_leases__target" set "expires_epoch" = 0, "fences" = "fences" + 1
where "target" = ? and "partition" = ? and "token" = ?;

delete from "shop"."target"
where exists (select 1 from "shop"."target__stg_4" as s where "shop"."target"."id" = s."id");

insert into "shop"."target" ("id", "name", "_sequence", "gone")
select "id", "name", "_sequence", "gone" from "shop"."target__stg_4" as s;

update "shop"."target" as t set "gone" = true, "_sequence" = s."_sequence"
from "shop"."target__stg_3" as s
where t."id" = s."id" and s."dataops_deleted";

delete from "shop"."target__tombstones"
where exists (select 1 from "shop"."target__stg_3" as s where "shop"."target__tombstones"."id" = s."id");

insert into "shop"."target__tombstones" ("id", "_sequence")
select "id", "_sequence" from "shop"."target__stg_3" as s
where s."dataops_deleted"
  and not exists (select 1 from "shop"."target" as t where t."id" = s."id");

commit;

drop table if exists "shop"."target__stg_1";

drop table if exists "shop"."target__stg_2";

drop table if exists "shop"."target__stg_3";

drop table if exists "shop"."target__stg_4";
