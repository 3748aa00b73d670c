"""Pipelines in YAML: every `<name>.pipeline.yaml` in the folder `pipelines` becomes a DAG."""

from airflow_dataops import load_dags

load_dags("pipelines", globals())
