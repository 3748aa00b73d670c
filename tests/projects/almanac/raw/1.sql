insert into raw.days values ('2027-02-25', 6), ('2027-02-23', 100);
update raw.people set town = 'Paris', updated_at = timestamp '2027-02-25 08:00:00' where id = 1;
