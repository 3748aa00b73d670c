def model(dbt, session):
    dbt.config(materialized="table")
    people = dbt.ref("people")
    return people.project("person_id, length(name) as score")
