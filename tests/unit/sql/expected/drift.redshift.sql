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

alter table "shop"."target" add column "colour" character varying(65535);

delete from "shop"."target"
where exists (select 1 from "shop"."target__stg_1" as s where "shop"."target"."id" = s."id");

insert into "shop"."target" ("id", "name", "n", "colour")
select "id", "name", "n", "colour" from "shop"."target__stg_1" as s;

commit;

drop table if exists "shop"."target__stg_1";
