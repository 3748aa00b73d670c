create table "shop"."target__stg_1" as (
select * from "shop"."source"
);

select count(*),
  count(case when "id" is null then 1 end),
  count(distinct "id")
from "shop"."target__stg_1";

begin;

update "shop"."dataops_leases__target" set "expires_epoch" = 0, "fences" = "fences" + 1
where "target" = ? and "partition" = ? and "token" = ?;

delete from "shop"."target"
where exists (select 1 from "shop"."target__stg_1" as s where "shop"."target"."id" = s."id" and (("shop"."target"."name" <> s."name" or ("shop"."target"."name" is null and s."name" is not null) or ("shop"."target"."name" is not null and s."name" is null)) or ("shop"."target"."n" <> s."n" or ("shop"."target"."n" is null and s."n" is not null) or ("shop"."target"."n" is not null and s."n" is null))));

insert into "shop"."target" ("id", "name", "n")
select "id", "name", "n" from "shop"."target__stg_1" as s
where not exists (select 1 from "shop"."target" as t where t."id" = s."id");

commit;

drop table if exists "shop"."target__stg_1";
