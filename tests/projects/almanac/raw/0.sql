create schema if not exists raw;
drop table if exists raw.days;
drop table if exists raw.people;
create table raw.days as
select * from (values
    ('2027-02-20', 1), ('2027-02-21', 2), ('2027-02-22', 3), ('2027-02-23', 4), ('2027-02-24', 5)
) as t (d, n);
create table raw.people as
select * from (values
    (1, 'London', timestamp '2027-02-20 08:00:00'), (2, 'Rome', timestamp '2027-02-20 09:00:00')
) as t (id, town, updated_at);
