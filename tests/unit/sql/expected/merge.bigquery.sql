create table `shop`.`target__stg_1` options (expiration_timestamp = timestamp_add(current_timestamp(), interval 1 day)) as (
select * from `shop`.`source`
);

select count(*),
  count(case when `id` is null then 1 end),
  count(distinct `id`)
from `shop`.`target__stg_1`;

select `id`, count(*)
from `shop`.`target__stg_1`
group by `id`
having count(*) > 1
limit 3;

select `id`, count(*)
from (
select distinct `id`, `name`, `n`, `gone`
from (
  select *, rank() over (partition by `id` order by case when `n` is null then 1 else 0 end, `n` desc) as dataops_rank
  from `shop`.`target__stg_1`
) as ranked
where dataops_rank = 1
) as tied
group by `id`
having count(*) > 1
limit 3;

create table `shop`.`target__stg_2` options (expiration_timestamp = timestamp_add(current_timestamp(), interval 1 day)) as (
select `id`, `name`, `n`, `gone`
from (
  select *, row_number() over (partition by `id` order by case when `n` is null then 1 else 0 end, `n` desc) as dataops_rank
  from `shop`.`target__stg_1`
) as ranked
where dataops_rank = 1
);

begin;

update `shop`.`dataops_leases__target` set `expires_epoch` = 0, `fences` = `fences` + 1
where `target` = ? and `partition` = ? and `token` = ?;

merge into `shop`.`target` as t
using `shop`.`target__stg_2` as s
on t.`id` = s.`id`
when matched and s.`gone` then delete
when matched then update set `name` = s.`name`, `n` = s.`n`
when not matched and not coalesce(s.`gone`, false) then insert (`id`, `name`, `n`) values (s.`id`, s.`name`, s.`n`);

commit;

drop table if exists `shop`.`target__stg_1`;

drop table if exists `shop`.`target__stg_2`;
