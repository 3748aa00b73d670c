-- The second day: changed rows, new rows, a deleted person, a new column, late data.
create or replace table raw.people as
select * from (values
    (1, 'ada', 'Paris', timestamp '2026-01-02 08:00:00'),
    (2, 'zoë', 'Zürich', timestamp '2026-01-01 09:00:00'),
    (3, 'o''brien', 'Cork', timestamp '2026-01-02 10:00:00'),
    (5, 'new', 'Oslo', timestamp '2026-01-02 11:00:00')
) as t (person_id, name, town, updated_at);

create or replace table raw.memberships as
select * from (values
    (1, 'chess', 'senior', timestamp '2026-01-02'),
    (2, 'chess', 'member', timestamp '2026-01-01'),
    (2, 'rowing', 'member', timestamp '2026-01-02')
) as t (person_id, club, rank, updated_at);

create or replace table raw.events as
select id, kind, amount::decimal(12, 2) as amount, note, updated_at, batch from (values
    (2, 'b', 20.00, null, timestamp '2026-01-02 02:00:00', 1),
    (3, 'a', 30.00, 'z', timestamp '2026-01-02 03:00:00', 1),
    (6, 'b', 6.00, 'y', timestamp '2026-01-02 06:00:00', 1),
    (7, 'it''s', 7000.00, 'x', timestamp '2026-01-02 07:00:00', 1)
) as t (id, kind, amount, note, updated_at, batch);

create or replace table raw.wide as
select * from (values (1, 'uno', 11, 'extra'), (2, 'two', 20, null))
as t (id, label, will_go, "new column");
create or replace table raw.narrow as
select * from (values (1, 'uno', 5000000000), (2, 'two', 2)) as t (id, label, measure);
insert into raw."odd table" values (1, 'changed', 2.5, '--', 'r'), (2, null, null, '/*', 's');
delete from raw."odd table" where "quo""te" = 'q';

drop table werk.became_view;
create view werk.became_view as select 'old' as old;
update raw.late set loaded_at = loaded_at - interval '40 hour';

create or replace table raw.corrections as
select * from (values (1, 'older', timestamp '2026-01-02'), (2, 'dated', timestamp '2026-01-02'), (3, 'c2', timestamp '2026-01-01')) as t (id, label, corrected_at);
