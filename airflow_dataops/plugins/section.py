"""Where the settings are; read in every process of Airflow, so nothing else is here."""

SECTION = "dataops"
CONNECTION_VARIABLE = "AIRFLOW_CONN_DATAOPS_METRICS"
"""A sink may be given as this connection alone, without any setting."""
