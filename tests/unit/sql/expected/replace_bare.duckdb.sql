create table "shop"."target__stg_1" as (
select * from "shop"."source"
);

begin;

update "shop"."dataops_leases" set "expires_epoch" = 0, "fences" = "fences" + 1
where "target" = ? and "partition" = ? and "token" = ?;

drop table "shop"."target";

alter table "shop"."target__stg_1" rename to "target";

commit;

drop table if exists "shop"."target__stg_1";
