"""One outside library per file; no Airflow."""
