create table "shop"."target__stg_1" as (
select * from "shop"."source"
);

select count(*)
from "shop"."target__stg_1";

begin;

update "shop"."dataops_leases__target" set "expires_epoch" = 0, "fences" = "fences" + 1
where "target" = ? and "partition" = ? and "token" = ?;

delete from "shop"."target" where true;

insert into "shop"."target" ("id", "name", "n")
select "id", "name", "n" from "shop"."target__stg_1";

commit;

drop table if exists "shop"."target__stg_1";
