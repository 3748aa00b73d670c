"""The demo's source system: fills the shop's raw tables with what happened on a day.

In real life an ingestion tool does this. Running a day again replaces that day's rows.
"""

from airflow.sdk import DAG, get_current_context, task
from shop_generator import COLUMNS, SCHEMA, ddl, rows_for

from airflow_dataops import DuckDBHook

with DAG("shop_source", schedule=None, max_active_runs=1, tags=["demo"]):

    @task
    def load_raw() -> dict[str, int]:
        """Load the rows of the run's day; return how many each table got, and all together."""
        day = get_current_context()["logical_date"].date()
        hook = DuckDBHook("warehouse")
        hook.run([f"create schema if not exists {SCHEMA}", *ddl().values()])
        loaded = rows_for(day)
        for table, rows in loaded.items():
            hook.run(f"delete from {SCHEMA}.{table} where extracted_on = ?", parameters=[day])
            values = [tuple(row.values()) for row in rows]
            hook.insert_rows(f"{SCHEMA}.{table}", values, list(COLUMNS[table]))
        counts = {table: len(rows) for table, rows in loaded.items()}
        return counts | {"rows": sum(counts.values())}

    load_raw()
