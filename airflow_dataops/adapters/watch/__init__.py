"""Watches the runs of an Airflow over its REST API and tells of their SLAs."""
