-- The first day, from nothing. Relations of another kind stand where models will be built.
create schema if not exists raw;
create schema if not exists werk;
create table werk.audit (at_step integer, note varchar);
create view werk.was_view as select 'old' as old;
create table werk.was_table as select 'old' as old;

create table raw.people as
select * from (values
    (1, 'ada', 'London', timestamp '2026-01-01 08:00:00'),
    (2, 'zoë', 'Zürich', timestamp '2026-01-01 09:00:00'),
    (3, 'o''brien', null, timestamp '2026-01-01 10:00:00'),
    (4, 'gone', 'Rome', timestamp '2026-01-01 11:00:00')
) as t (person_id, name, town, updated_at);

create table raw.memberships as
select * from (values
    (1, 'chess', 'junior', timestamp '2026-01-01'),
    (1, 'rowing', 'member', timestamp '2026-01-01'),
    (2, 'chess', 'member', timestamp '2026-01-01')
) as t (person_id, club, rank, updated_at);

create table raw.events as
select id, kind, amount::decimal(12, 2) as amount, note, updated_at, batch from (values
    (1, 'a', 1.00, 'x', timestamp '2026-01-01 01:00:00', 0),
    (2, 'b', 2.50, null, timestamp '2026-01-01 02:00:00', 0),
    (3, 'b', 2.50, null, timestamp '2026-01-01 03:00:00', 0),
    (4, 'it''s', -4.00, 'y', timestamp '2026-01-01 04:00:00', 0),
    (5, 'a', 500.00, 'x', timestamp '2025-12-31 05:00:00', 0)
) as t (id, kind, amount, note, updated_at, batch);

create table raw.wide as select 1 as id, 'one' as label, 10 as will_go;
create table raw.narrow as select 1 as id, 'one' as label, 1::integer as measure;
create table raw."odd table" as
select 1 as id, 'v''alue' as "a column", 1.5 as "Größe", ';' as "semi;colon", 'q' as "quo""te";

create table raw.fresh as select 1 as id, (now() at time zone 'UTC') as loaded_at;
create table raw.late as select 1 as id, (now() at time zone 'UTC') - interval '20 hour' as loaded_at;
create table raw.stale as
select 1 as id, (now() at time zone 'UTC') - interval '13 hour' as loaded_at
union all select 2, (now() at time zone 'UTC') - interval '5 day';
create table raw.late_text as
select 1 as id, cast((now() at time zone 'UTC') - interval '20 hour' as varchar) as loaded_at;

create or replace table raw.corrections as
select * from (values (1, 'a', timestamp '2026-01-05'), (2, 'b', null), (3, 'c', timestamp '2026-01-01')) as t (id, label, corrected_at);
