"""Ports over Airflow connections."""
