create table "shop"."target__stg_1" as (
select * from "shop"."source"
);

select count(*),
  count(case when "at" is null then 1 end),
  count(case when "id" is null then 1 end)
from "shop"."target__stg_1";

select "id", "at", count(*)
from "shop"."target__stg_1"
group by "id", "at"
having count(*) > 1
limit 3;

create table "shop"."target__stg_2" as (
select "id", "name", cast('2026-01-09T00:00:00.000000' as timestamp without time zone) as "valid_from"
from "shop"."target__stg_1" as s
where exists (select 1 from "shop"."target" as t
  where t."id" = s."id" and t."valid_to" >= cast(s."at" as timestamp without time zone) and t."valid_to" <= cast('2026-01-09T00:00:00.000000' as timestamp without time zone)
    and not exists (select 1 from "shop"."target" as n
      where n."id" = t."id" and n."valid_from" = t."valid_to" and n."valid_from" <> cast('2026-01-09T00:00:00.000000' as timestamp without time zone)))
union all
select "id", "name", cast(s."at" as timestamp without time zone) as "valid_from"
from "shop"."target__stg_1" as s
where not exists (select 1 from "shop"."target" as t
  where t."id" = s."id" and t."valid_to" >= cast(s."at" as timestamp without time zone) and t."valid_to" <= cast('2026-01-09T00:00:00.000000' as timestamp without time zone)
    and not exists (select 1 from "shop"."target" as n
      where n."id" = t."id" and n."valid_from" = t."valid_to" and n."valid_from" <> cast('2026-01-09T00:00:00.000000' as timestamp without time zone)))
);

create table "shop"."target__stg_3" as (
with versions as (
  select t."id", t."name", t."valid_from", t."valid_to" from "shop"."target" as t
  where exists (select 1 from "shop"."target__stg_2" as s where t."id" = s."id")
), events as (
  select "id", "name", "valid_from", 0 as dataops_ends from "shop"."target__stg_2"
  union all
  select t."id", t."name", t."valid_from", 0 from versions as t
  where not exists (select 1 from "shop"."target__stg_2" as s where t."id" = s."id" and t."valid_from" = s."valid_from")
  union all
  select t."id", t."name", t."valid_to", 1 from versions as t
  where t."valid_to" is not null
    and not exists (select 1 from versions as s where t."id" = s."id" and s."valid_from" = t."valid_to")
    and not exists (select 1 from "shop"."target__stg_2" as s where t."id" = s."id" and s."valid_from" = t."valid_to")
), compared as (
  select *, lag(dataops_ends) over (partition by "id" order by "valid_from") as dataops_ended,
    lag("name") over (partition by "id" order by "valid_from") as dataops_was_0
  from events
), kept as (
  select *, lead("valid_from") over (partition by "id" order by "valid_from") as "valid_to"
  from compared
  where dataops_ends = 1 or dataops_ended is null or dataops_ended = 1 or ("name" <> dataops_was_0 or ("name" is null and dataops_was_0 is not null) or ("name" is not null and dataops_was_0 is null))
)
select "id", "name", "valid_from", "valid_to",
  case when "valid_to" is null then true else false end as "is_current"
from kept where dataops_ends = 0
);

begin;

update "shop"."dataops_leases__target" set "expires_epoch" = 0, "fences" = "fences" + 1
where "target" = ? and "partition" = ? and "token" = ?;

delete from "shop"."target"
where exists (select 1 from "shop"."target__stg_3" as s where "shop"."target"."id" = s."id")
  and not exists (select 1 from "shop"."target__stg_3" as s where "shop"."target"."id" = s."id" and "shop"."target"."valid_from" = s."valid_from");

update "shop"."target" as t set "name" = s."name", "valid_to" = s."valid_to", "is_current" = s."is_current"
from "shop"."target__stg_3" as s
where t."id" = s."id" and t."valid_from" = s."valid_from" and ((t."name" <> s."name" or (t."name" is null and s."name" is not null) or (t."name" is not null and s."name" is null)) or (t."valid_to" <> s."valid_to" or (t."valid_to" is null and s."valid_to" is not null) or (t."valid_to" is not null and s."valid_to" is null)) or (t."is_current" <> s."is_current" or (t."is_current" is null and s."is_current" is not null) or (t."is_current" is not null and s."is_current" is null)));

insert into "shop"."target" ("id", "name", "valid_from", "valid_to", "is_current")
select "id", "name", "valid_from", "valid_to", "is_current" from "shop"."target__stg_3" as s
where not exists (select 1 from "shop"."target" as t where t."id" = s."id" and t."valid_from" = s."valid_from");

update "shop"."target" as t set "valid_to" = cast('2026-01-09T00:00:00.000000' as timestamp without time zone), "is_current" = false
where t."valid_to" is null and t."valid_from" < cast('2026-01-09T00:00:00.000000' as timestamp without time zone)
  and not exists (select 1 from "shop"."target__stg_1" as s where t."id" = s."id");

commit;

drop table if exists "shop"."target__stg_1";

drop table if exists "shop"."target__stg_2";

drop table if exists "shop"."target__stg_3";
