-- The third day: a person who left is back, another one left, a column has gone.
create or replace table raw.people as
select * from (values
    (1, 'ada', 'Paris', timestamp '2026-01-02 08:00:00'),
    (2, 'zoe', 'Zürich', timestamp '2026-01-03 09:00:00'),
    (4, 'back', 'Rome', timestamp '2026-01-03 11:00:00'),
    (5, 'new', null, timestamp '2026-01-02 11:00:00')
) as t (person_id, name, town, updated_at);

create or replace table raw.memberships as
select * from (values
    (1, 'chess', 'senior', timestamp '2026-01-02'),
    (1, 'rowing', 'captain', timestamp '2026-01-03'),
    (2, 'rowing', 'member', timestamp '2026-01-02')
) as t (person_id, club, rank, updated_at);

create or replace table raw.events as
select id, kind, amount::decimal(12, 2) as amount, note, updated_at, batch from (values
    (1, 'b', 0.00, null, timestamp '2026-01-03 01:00:00', 2),
    (3, 'a', 33.00, null, timestamp '2026-01-03 03:00:00', 2),
    (8, 'c', null, 'x', timestamp '2026-01-03 08:00:00', 2)
) as t (id, kind, amount, note, updated_at, batch);

create or replace table raw.wide as
select * from (values (2, 'dos', 'more', date '2026-01-03'), (3, 'three', 'even more', null))
as t (id, label, "new column", added_on);
delete from raw.narrow;

delete from raw.fresh;
update raw.late set loaded_at = (now() at time zone 'UTC');

create or replace table raw.corrections as
select * from (values (1, 'newer', timestamp '2026-01-06'), (2, 'undated', null), (3, 'c3', timestamp '2026-01-09'), (null, 'no key', timestamp '2026-01-09')) as t (id, label, corrected_at);
