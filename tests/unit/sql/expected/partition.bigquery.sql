create table `shop`.`target__stg_1` options (expiration_timestamp = timestamp_add(current_timestamp(), interval 1 day)) as (
select * from `shop`.`source`
);

select count(*),
  count(case when case when cast(`day` as DATETIME) >= cast(? as DATETIME) and cast(`day` as DATETIME) < cast(? as DATETIME) then false else true end then 1 end)
from `shop`.`target__stg_1`;

begin;

update `shop`.`dataops_leases__target` set `expires_epoch` = 0, `fences` = `fences` + 1
where `target` = ? and `partition` = ? and `token` = ?;

delete from `shop`.`target`
where cast(`day` as DATETIME) >= cast(? as DATETIME) and cast(`day` as DATETIME) < cast(? as DATETIME);

insert into `shop`.`target` (`day`, `n`)
select `day`, `n` from `shop`.`target__stg_1`
where cast(`day` as DATETIME) >= cast(? as DATETIME) and cast(`day` as DATETIME) < cast(? as DATETIME);

commit;

drop table if exists `shop`.`target__stg_1`;
