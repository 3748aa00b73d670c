create temporary table "temp"."main"."target__stg_1" as (
select * from "shop"."source"
);

select count(*)
from "temp"."main"."target__stg_1";

begin;

update "shop"."dataops_leases" set "expires_epoch" = 0, "fences" = "fences" + 1
where "target" = ? and "partition" = ? and "token" = ?;

create or replace table "shop"."target" as
select cast("id" as INTEGER) as "id",
  cast("name" as VARCHAR) as "name",
  cast("n" as INTEGER) as "n"
from "temp"."main"."target__stg_1";

commit;

drop table if exists "temp"."main"."target__stg_1";
