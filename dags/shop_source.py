"""The demo's source system: fills the shop's raw tables with what happened on a day.

In real life an ingestion tool does this. Running a day again replaces that day's rows.
"""

from airflow.sdk import DAG, get_current_context, task

from airflow_dataops import DuckDBHook
from demo.generate import COLUMNS, SCHEMA, ddl, rows_for

with DAG("shop_source", schedule=None, max_active_runs=1, tags=["demo"]):

    @task
    def load_raw() -> dict[str, int]:
        """Load the rows of the run's day; return how many each table got."""
        day = get_current_context()["logical_date"].date()
        hook = DuckDBHook("warehouse")
        statements = [f"create schema if not exists {SCHEMA}", *ddl().values()]
        hook.run(statements)
        loaded = rows_for(day)
        for table, rows in loaded.items():
            hook.run(f"delete from {SCHEMA}.{table} where extracted_on = ?", parameters=[day])
            hook.insert_rows(
                f"{SCHEMA}.{table}", [tuple(row.values()) for row in rows], list(COLUMNS[table])
            )
        return {table: len(rows) for table, rows in loaded.items()}

    load_raw()
