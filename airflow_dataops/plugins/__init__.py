"""What Airflow loads into each of its processes (entry point `airflow.plugins`)."""
