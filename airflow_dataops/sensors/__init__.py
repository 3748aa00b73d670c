"""Sensors: what waits for tables, models and files."""
