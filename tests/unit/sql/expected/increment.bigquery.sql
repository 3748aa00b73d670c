select `scope`, `watermark` from `shop`.`dataops_watermarks__target` where `target` = ? and `partition` = ? and `cursor` = ?;

select 1 from `shop`.`target` limit 1;

create table `shop`.`target__stg_1` options (expiration_timestamp = timestamp_add(current_timestamp(), interval 1 day)) as (
select *
from (
select * from `shop`.`source`
) as dataops_rows
where (`shop` = ? and `at` >= ?)
  or (`shop` = ? and `at` >= ?)
  or (case when (`shop` = ?) or (`shop` = ?) then false else true end)
  or `at` is null
);

select `shop`, max(`at`) from `shop`.`target__stg_1`
where `at` is not null
group by `shop`;

select count(*),
  count(case when `at` is null then 1 end),
  count(case when false then 1 end),
  count(case when `id` is null then 1 end)
from `shop`.`target__stg_1`;

select `id`, count(*)
from `shop`.`target__stg_1`
group by `id`
having count(*) > 1
limit 3;

delete from `shop`.`target__stg_1` as s
where exists (select 1 from `shop`.`target` as t where t.`id` = s.`id`
  and ((t.`at` is not null and (s.`at` is null or t.`at` > s.`at`))));

begin;

update `shop`.`dataops_leases__target` set `expires_epoch` = 0, `fences` = `fences` + 1
where `target` = ? and `partition` = ? and `token` = ?;

merge into `shop`.`target` as t
using `shop`.`target__stg_1` as s
on t.`id` = s.`id`
when matched then update set `shop` = s.`shop`, `at` = s.`at`
when not matched then insert (`id`, `shop`, `at`) values (s.`id`, s.`shop`, s.`at`);

update `shop`.`dataops_watermarks__target` as w set `watermark` = n.mark, `run_id` = ?
from (select cast(? as string) as scope, cast(? as string) as mark union all select cast(? as string) as scope, cast(? as string) as mark) as n
where w.`target` = ? and w.`partition` = ? and w.`cursor` = ? and w.`scope` = n.scope
  and cast(w.`watermark` as DATETIME) < cast(n.mark as DATETIME);

insert into `shop`.`dataops_watermarks__target` (`target`, `partition`, `scope`, `cursor`, `watermark`, `run_id`)
select cast(? as string), cast(? as string), n.scope, cast(? as string), n.mark, cast(? as string)
from (select cast(? as string) as scope, cast(? as string) as mark union all select cast(? as string) as scope, cast(? as string) as mark) as n
where not exists (select 1 from `shop`.`dataops_watermarks__target` as w
  where w.`target` = ? and w.`partition` = ? and w.`cursor` = ? and w.`scope` = n.scope);

commit;

drop table if exists `shop`.`target__stg_1`;
