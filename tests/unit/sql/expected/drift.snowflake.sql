create transient table "shop"."target__stg_1" as (
select * from "shop"."source"
);

select count(*),
  count(case when "id" is null then 1 end),
  count(distinct "id")
from "shop"."target__stg_1";

alter table "shop"."target" add column if not exists "colour" VARCHAR;

begin;

update "shop"."dataops_leases__target" set "expires_epoch" = 0, "fences" = "fences" + 1
where "target" = %s and "partition" = %s and "token" = %s;

merge into "shop"."target" as t
using "shop"."target__stg_1" as s
on t."id" = s."id"
when matched then update set "name" = s."name", "n" = s."n", "colour" = s."colour"
when not matched then insert ("id", "name", "n", "colour") values (s."id", s."name", s."n", s."colour");

commit;

drop table if exists "shop"."target__stg_1";
