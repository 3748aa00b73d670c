def model(dbt, session):
    dbt.config(materialized="table", tags=["python"])
    return dbt.ref("ops_queue")
