create table "shop"."target__stg_1" as (
select * from "shop"."source"
);

select count(*),
  count(case when "id" is null then 1 end),
  count(distinct "id")
from "shop"."target__stg_1";

select "id", count(*)
from "shop"."target__stg_1"
group by "id"
having count(*) > 1
limit 3;

select "id", count(*)
from (
select distinct "id", "name", "n", "gone"
from (
  select *, rank() over (partition by "id" order by case when "n" is null then 1 else 0 end, "n" desc) as dataops_rank
  from "shop"."target__stg_1"
) as ranked
where dataops_rank = 1
) as tied
group by "id"
having count(*) > 1
limit 3;

create table "shop"."target__stg_2" as (
select "id", "name", "n", "gone"
from (
  select *, row_number() over (partition by "id" order by case when "n" is null then 1 else 0 end, "n" desc) as dataops_rank
  from "shop"."target__stg_1"
) as ranked
where dataops_rank = 1
);

begin;

update "shop"."dataops_leases__target" set "expires_epoch" = 0, "fences" = "fences" + 1
where "target" = ? and "partition" = ? and "token" = ?;

delete from "shop"."target"
where exists (select 1 from "shop"."target__stg_2" as s where "shop"."target"."id" = s."id" and s."gone");

delete from "shop"."target"
where exists (select 1 from "shop"."target__stg_2" as s where "shop"."target"."id" = s."id" and not coalesce(s."gone", false));

insert into "shop"."target" ("id", "name", "n")
select "id", "name", "n" from "shop"."target__stg_2" as s
where not coalesce(s."gone", false);

commit;

drop table if exists "shop"."target__stg_1";

drop table if exists "shop"."target__stg_2";
