insert into raw.days values ('2027-02-26', null);
delete from raw.people where id = 2;
insert into raw.people values (3, 'Oslo', timestamp '2027-02-26 08:00:00');
