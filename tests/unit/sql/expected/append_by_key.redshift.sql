create table "shop"."target__stg_1" as (
select * from "shop"."source"
);

select count(*),
  count(case when "id" is null then 1 end)
from "shop"."target__stg_1";

select "id", count(*)
from "shop"."target__stg_1"
group by "id"
having count(*) > 1
limit 3;

create table "shop"."target__stg_2" as (
select distinct "id", "name", "n"
from "shop"."target__stg_1"
);

select "id", count(*)
from "shop"."target__stg_2"
group by "id"
having count(*) > 1
limit 3;

begin;

update "shop"."dataops_leases__target" set "expires_epoch" = 0, "fences" = "fences" + 1
where "target" = ? and "partition" = ? and "token" = ?;

insert into "shop"."target" ("id", "name", "n")
select "id", "name", "n" from "shop"."target__stg_2" as s
where not exists (select 1 from "shop"."target" as t where t."id" = s."id");

commit;

drop table if exists "shop"."target__stg_1";

drop table if exists "shop"."target__stg_2";
